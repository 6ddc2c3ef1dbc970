// The first syntax error of a JSON text, in words.

import { createScanner, type ParseError, printParseErrorCode } from "jsonc-parser";
import { nearest } from "../nearest.ts";

// jsonc-parser's SyntaxKind, which is a const enum that cannot be imported.
const token = { openBrace: 1, closeBrace: 2, openBracket: 3, closeBracket: 4, comma: 5, end: 17 } as const;

export interface SyntaxMistake {
  offset: number;
  length: number;
  message: string;
}

/** `errors` are those of jsonc-parser, of which only the first is no consequence of another. */
export function describeSyntax(text: string, errors: ParseError[]): SyntaxMistake {
  const [first] = errors.toSorted((a, b) => a.offset - b.offset);
  const { offset, length } = first!;
  const error = printParseErrorCode(first!.error);
  const rest = text.slice(offset);
  if (error === "InvalidCommentToken" || rest.startsWith("//") || rest.startsWith("/*"))
    return {
      offset,
      length: Math.max(1, length),
      message: "JSON has no comments; `description` takes text for people",
    };
  if (error === "UnexpectedEndOfString" || (text[offset] === '"' && error === "InvalidSymbol"))
    return { offset, length: Math.max(1, length), message: 'this text is not closed by " on its line' };
  if (error === "InvalidCharacter" || error === "InvalidEscapeCharacter" || error === "InvalidUnicode")
    return {
      offset,
      length: Math.max(1, length),
      message: notAllowedIn(text.slice(offset, offset + length)),
    };
  const strange = strangeCharacter(rest);
  if (strange !== undefined) return { offset, length: Math.max(1, length), message: strange };
  if (error === "EndOfFileExpected" || (rest.startsWith(";") && openBefore(text, offset).length === 0))
    return {
      offset,
      length: Math.max(1, length),
      message: "the document has ended before this; only one value may stand in a file",
    };
  const number = numberAround(text, offset);
  if (number !== undefined) return number;
  const word = wordAt(rest);
  if (word !== undefined) return { offset, ...word };
  const before = lastToken(text, offset);
  if (before?.kind === token.comma && /^[\]}]/.test(rest))
    return { offset: before.offset, length: 1, message: `no comma may stand before ${rest[0]}` };
  if (offset >= text.trimEnd().length)
    return (
      unclosed(text) ?? {
        offset: Math.max(0, text.trimEnd().length - 1),
        length: 1,
        message: "the document ends too early",
      }
    );
  const unmatched = mismatch(text, offset);
  if (unmatched !== undefined) return unmatched;
  const instead = insteadOf(text, offset);
  if (instead !== undefined) return { offset, length: 1, message: instead };
  if (error === "CommaExpected" || error === "CloseBraceExpected" || error === "CloseBracketExpected")
    return { offset, length: Math.max(1, length), message: "a comma is missing before this" };
  if (error === "ColonExpected")
    return { offset, length: Math.max(1, length), message: "a colon is missing before this" };
  if (error === "PropertyNameExpected")
    return { offset, length: Math.max(1, length), message: 'a key in double quotes (") is expected here' };
  return { offset, length: Math.max(1, length), message: "a value is expected here" };
}

/** A character that other languages, editors and web pages put where JSON has another one. */
function strangeCharacter(rest: string): string | undefined {
  const [first = ""] = rest;
  if (/^['\u2018\u2019\u201a-\u201f\u00ab\u00bb`\u00b4]/.test(first)) return 'texts stand in double quotes (")';
  if (first === "#") return "JSON has no comments; `description` takes text for people";
  if (!/^[\p{C}\p{Z}]/u.test(first) || /^[ \t\r\n]/.test(first)) return undefined;
  const code = first.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  return `the character U+${code} cannot stand here, though it looks like a blank or like nothing`;
}

/** A word that would be a value in another language, or is misspelt. */
function wordAt(rest: string): { length: number; message: string } | undefined {
  const [word] = /^-?[A-Za-z_]\w*/.exec(rest) ?? [];
  if (word === undefined) return undefined;
  const { length } = word;
  if (/^-?(?:NaN|Inf(?:inity)?)$/i.test(word)) return { length, message: `${word} is no number in JSON` };
  const meant = /^(?:undefined|none|nil)$/i.test(word)
    ? "null"
    : nearest(word.toLowerCase(), ["true", "false", "null"]);
  const value = meant ?? ["true", "false", "null"].find((name) => name === word.toLowerCase());
  const how = value === undefined ? 'texts stand in double quotes (")' : `it is written ${value}`;
  return ["true", "false", "null"].includes(word)
    ? undefined
    : { length, message: `${word.slice(0, 40)} is no JSON; ${how}` };
}

function insteadOf(text: string, offset: number): string | undefined {
  const character = text[offset];
  if (character === "=") return "a colon is expected here";
  if (character === ";") return "a comma or colon is expected here, and no ;";
  if (character === "+") return "JSON cannot join values; ${{ }} in a text can";
  if (character === ":" && openBefore(text, offset).at(-1)?.bracket === "[")
    return "a list has no keys; members stand in { }";
  return undefined;
}

// A tab or line break stands in a text as an escape, and a backslash, too.
function notAllowedIn(text: string): string {
  const escapes = /\\(?:\\|["/bfnrt]|u[0-9A-Fa-f]{4}|([\s\S]?))/g;
  for (const [found, wrong] of text.matchAll(escapes))
    if (wrong !== undefined) return `${found} is no escape in a text of JSON; a backslash itself is written \\\\`;
  const control = [...text].find((character) => character < " ");
  const written = control === undefined ? "" : JSON.stringify(control).slice(1, -1);
  return `this text holds a character that JSON does not allow as it is; write it as ${written}`;
}

/** A bracket that closes another one than the last that was opened. */
function mismatch(text: string, at: number): SyntaxMistake | undefined {
  const found = text[at];
  if (found !== "}" && found !== "]") return undefined;
  const bracket = openBefore(text, at).at(-1)?.bracket;
  const wanted = bracket === "{" ? "}" : "]";
  if (bracket === undefined || wanted === found) return undefined;
  return { offset: at, length: 1, message: `${wanted} is expected here, since the last that was opened is ${bracket}` };
}

// A number that goes on after it should have ended, such as 0755 or 1.2.3, and one with a + or without a first digit.
function numberAround(text: string, offset: number): SyntaxMistake | undefined {
  let begin = offset;
  while (begin > 0 && /[-+.\w]/.test(text[begin - 1]!)) begin -= 1;
  const [word] = /^[-+]?\.?\d[-+.\w]*/.exec(text.slice(begin)) ?? [];
  // What is a number as it stands was not the mistake.
  if (word === undefined || /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(word)) return undefined;
  const message = `${word.slice(0, 40)} is no number as JSON writes them, such as 1, -0.5 or 1e3`;
  return { offset: begin, length: word.length, message };
}

/** The innermost bracket that nothing closes. */
function unclosed(text: string): SyntaxMistake | undefined {
  const last = openBefore(text, text.length).at(-1);
  return last && { offset: last.offset, length: 1, message: `this ${last.bracket} is never closed` };
}

function openBefore(text: string, end: number): { offset: number; bracket: string }[] {
  const open: { offset: number; bracket: string }[] = [];
  for (const { kind, offset } of tokens(text)) {
    if (offset >= end) break;
    if (kind === token.openBrace || kind === token.openBracket) open.push({ offset, bracket: text[offset]! });
    if (kind === token.closeBrace || kind === token.closeBracket) open.pop();
  }
  return open;
}

function lastToken(text: string, before: number): { kind: number; offset: number } | undefined {
  let last: { kind: number; offset: number } | undefined;
  for (const found of tokens(text)) {
    if (found.offset >= before) break;
    last = found;
  }
  return last;
}

function* tokens(text: string): Generator<{ kind: number; offset: number }> {
  const scanner = createScanner(text, true);
  for (let kind = scanner.scan(); kind !== token.end; kind = scanner.scan())
    yield { kind, offset: scanner.getTokenOffset() };
}
