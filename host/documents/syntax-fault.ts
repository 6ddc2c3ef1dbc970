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
    return { offset, length: Math.max(1, length), message: 'this text is not closed by "' };
  if (error === "InvalidCharacter" || error === "InvalidEscapeCharacter" || error === "InvalidUnicode")
    return {
      offset,
      length: Math.max(1, length),
      message: "this text holds a character or escape that JSON does not allow; write it as in \\n or \\u00e4",
    };
  if (rest.startsWith("'")) return { offset, length: Math.max(1, length), message: 'texts stand in double quotes (")' };
  if (error === "EndOfFileExpected")
    return {
      offset,
      length: Math.max(1, length),
      message: "the document has ended before this; only one value may stand in a file",
    };
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

/** The innermost bracket that nothing closes. */
function unclosed(text: string): SyntaxMistake | undefined {
  const open: { offset: number; bracket: string }[] = [];
  for (const { kind, offset } of tokens(text)) {
    if (kind === token.openBrace || kind === token.openBracket) open.push({ offset, bracket: text[offset]! });
    if (kind === token.closeBrace || kind === token.closeBracket) open.pop();
  }
  const last = open.at(-1);
  return last && { offset: last.offset, length: 1, message: `this ${last.bracket} is never closed` };
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
