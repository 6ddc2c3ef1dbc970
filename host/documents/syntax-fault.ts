// The first syntax error of a JSON text, in words.

import { createScanner, type ParseError, printParseErrorCode } from "jsonc-parser";

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
  if (rest.startsWith("'")) return { offset, length: Math.max(1, length), message: 'texts stand in double quotes (")' };
  if (error === "EndOfFileExpected")
    return {
      offset,
      length: Math.max(1, length),
      message: "the document has ended before this; only one value may stand in a file",
    };
  const number = numberAround(text, offset);
  if (number !== undefined) return number;
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
  if (rest.startsWith("=")) return { offset, length: 1, message: "a colon is expected here" };
  if (error === "CommaExpected" || error === "CloseBraceExpected" || error === "CloseBracketExpected")
    return { offset, length: Math.max(1, length), message: "a comma is missing before this" };
  if (error === "ColonExpected")
    return { offset, length: Math.max(1, length), message: "a colon is missing before this" };
  if (error === "PropertyNameExpected")
    return { offset, length: Math.max(1, length), message: 'a key in double quotes (") is expected here' };
  if (/^[A-Za-z_]/.test(rest)) {
    const word = /^[A-Za-z_]\w*/.exec(rest)![0];
    return { offset, length: word.length, message: `${word} is no JSON; texts stand in double quotes (")` };
  }
  return { offset, length: Math.max(1, length), message: "a value is expected here" };
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
  const begin = /[-+.\w]*$/.exec(text.slice(0, offset))!.index;
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
