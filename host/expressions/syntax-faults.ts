// Why an expression cannot be read, in words, and where.

import { nearest } from "../nearest.ts";
import { functions } from "./functions.ts";
import { isJsonNumber, type Place, type Token, tokenType, UnreadableSymbol } from "./tokens.ts";

export interface SyntaxFault extends Place {
  code:
    | "EXPRESSION_SYNTAX"
    | "EXPRESSION_UNKNOWN_CONTEXT"
    | "EXPRESSION_UNKNOWN_FUNCTION"
    | "EXPRESSION_ARGUMENTS"
    | "EXPRESSION_TOO_COMPLEX";
  message: string;
  suggestion?: string;
}

/** What the library's parser lets through, and has no meaning here. */
export function tokenFaults(tokens: Token[], placeOf: (token: Token) => Place): SyntaxFault[] {
  return tokens.flatMap((token, index) => {
    const message = unfit(token, tokens[index - 1], tokens[index + 1]);
    return message === undefined ? [] : [{ code: "EXPRESSION_SYNTAX" as const, message, ...placeOf(token) }];
  });
}

function unfit({ type, lexeme }: Token, before: Token | undefined, after: Token | undefined): string | undefined {
  const isWord = type === tokenType.identifier && before?.type !== tokenType.dot;
  if (isWord && lexeme.toLowerCase() === "not" && after?.type === tokenType.identifier) return unexpected(lexeme);
  if (type === tokenType.star && (before?.type === tokenType.dot || before?.type === tokenType.leftBracket))
    return "* has no meaning here; use forEach to go through a list";
  if (type === tokenType.number && !isJsonNumber(lexeme))
    return `${shortened(lexeme)} is no number as JSON writes them, such as 1, -0.5 or 1e3`;
  if (type === tokenType.rightParenthesis && before?.type === tokenType.comma)
    return "a value is missing before this )";
  return undefined;
}

/** `error` comes from the library's lexer or parser; `placeOf` is undefined when it got no further than the lexer. */
export function syntaxFaultOf(
  error: Error & { tok?: Token },
  source: string,
  placeOf: ((token: Token) => Place) | undefined,
): SyntaxFault {
  if (error instanceof RangeError || /max expression (depth|length)/.test(error.message))
    return tooComplex(source, "the expression is nested too deeply");
  if (error instanceof UnreadableSymbol) {
    const length = Math.max(1, Math.min(error.symbol.length, source.length - error.offset));
    return {
      code: "EXPRESSION_SYNTAX",
      message: unreadable(error.symbol, source[error.offset - 1]),
      offset: error.offset,
      length,
    };
  }
  const { tok: token } = error;
  if (token === undefined || placeOf === undefined) throw error;
  const at = placeOf(token);
  if (/parameters supplied/.test(error.message)) return wrongArguments(token.lexeme, at);
  if (token.type === tokenType.end || /end of expression/.test(error.message))
    return {
      code: "EXPRESSION_SYNTAX",
      message: "the expression ends too early",
      offset: source.trimEnd().length - 1,
      length: 1,
    };
  const message = method(source, token, at.offset) ?? unexpected(token.lexeme);
  return { code: "EXPRESSION_SYNTAX", message, ...at };
}

/** Of a value that is called as if it had functions. */
function method(source: string, { type }: Token, offset: number): string | undefined {
  if (type !== tokenType.leftParenthesis || !/\.\s*[\w-]+\s*$/.test(source.slice(0, offset))) return undefined;
  return `( is not expected here; values have no functions of their own, and ${[...functions.keys()].join(", ")} take them`;
}

export function tooComplex(source: string, message: string): SyntaxFault {
  const { length } = source.trim();
  return { code: "EXPRESSION_TOO_COMPLEX", message, offset: source.length - source.trimStart().length, length };
}

function wrongArguments(name: string, at: Place): SyntaxFault {
  const takes = functions.get(name)?.takes;
  if (takes !== undefined) return { code: "EXPRESSION_ARGUMENTS", message: `${name} takes ${takes}`, ...at };
  return unknownFunction(name, at);
}

const insteadOfFunctions: Record<string, string> = {
  always: "what is done in any case stands in `finally`",
  failure: "what is done after a failure stands in `onFailure`",
  success: "a step runs only where those before it have not failed",
  cancelled: "a run that is cancelled takes its `onFailure`, where `error.code` is RUN_CANCELLED",
  hashFiles: "verify/checksum gives the digests of a file",
};

/** Says what to do without a function that does not exist, or which one was probably meant. */
export function unknownFunction(name: string, at: Place): SyntaxFault {
  const suggestion = nearest(name, functions.keys());
  const hint = Object.hasOwn(insteadOfFunctions, name) ? insteadOfFunctions[name] : undefined;
  const known = suggestion === undefined ? `; there are ${[...functions.keys()].join(", ")}` : "";
  const message = `there is no function ${name}${hint === undefined ? known : `; ${hint}`}`;
  return { code: "EXPRESSION_UNKNOWN_FUNCTION", message, ...at, ...(suggestion === undefined ? {} : { suggestion }) };
}

function unreadable(symbol: string, before: string | undefined): string {
  if (before === "'" && /^\p{L}/u.test(symbol))
    return `${shortened(symbol)} is not expected here; a ' within a text is written twice ('')`;
  if (symbol.startsWith("'")) return "this text is not closed by '";
  if (symbol.startsWith('"')) return "texts in an expression stand in single quotes (')";
  return unexpected(symbol);
}

const instead: Record<string, string> = {
  "=": "== compares",
  "&": "&& stands for and",
  "|": "|| stands for or",
  "+": "add(a, b) adds numbers, and ${{ a }}${{ b }} joins texts",
  "-": "add(a, -1) subtracts",
  "*": "there is only add() for numbers",
  "/": "there is only add() for numbers",
  "%": "there is only add() for numbers",
  "?": "default(value, fallback) and `if` on a step choose",
  "{": "an object is written in the document, with expressions as its values",
};
const insteadOfWords: Record<string, string> = {
  and: "&& stands for and",
  or: "|| stands for or",
  not: "! stands for not",
  is: "== compares",
  eq: "== compares",
  in: "contains(list, value) looks for a value",
};

function unexpected(symbol: string): string {
  const hint = hintOf(symbol);
  const named = /^[\s\p{C}]/u.test(symbol)
    ? `the character U+${symbol.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`
    : shortened(symbol);
  return `${named} is not expected here${hint === undefined ? "" : `; ${hint}`}`;
}

function hintOf(symbol: string): string | undefined {
  const word = symbol.toLowerCase();
  if (Object.hasOwn(insteadOfWords, word)) return insteadOfWords[word];
  return Object.hasOwn(instead, symbol[0] ?? "") && !isJsonNumber(symbol) ? instead[symbol[0]!] : undefined;
}

function shortened(symbol: string): string {
  const first = symbol.split(/[\r\n]/, 1)[0]!;
  return first.length > 40 || first.length < symbol.length ? `${first.slice(0, 40)}...` : first;
}
