// The words of an expression and where they stand. The library's own positions are wrong after a text of several lines,
// and it reads numbers and doubled quotes more freely than is meant here.

import { Lexer } from "@actions/expressions";
import type { Json } from "../sdk.ts";

/** Where something stands in a source, in UTF-16 units. */
export interface Place {
  offset: number;
  length: number;
}

export interface Token {
  type: number;
  lexeme: string;
}

// The library's numbers for what is told apart here; it does not export their names.
export const tokenType = {
  leftParenthesis: 1,
  rightParenthesis: 2,
  leftBracket: 3,
  comma: 5,
  dot: 6,
  star: 16,
  number: 17,
  text: 18,
  identifier: 19,
  true: 20,
  false: 21,
  end: 23,
} as const;

/** A symbol that cannot begin any word. */
export class UnreadableSymbol extends Error {
  readonly offset: number;
  readonly symbol: string;

  constructor(offset: number, symbol: string) {
    super(`${symbol} at ${offset} cannot be read`);
    this.offset = offset;
    this.symbol = symbol;
  }
}

/** Throws an UnreadableSymbol. The last token is the end of the source, with an empty lexeme. */
export function lex(source: string): { tokens: Token[]; placeOf(token: Token): Place } {
  const tokens = lexed(source);
  const places = new Map<Token, Place>();
  let offset = 0;
  for (const token of tokens) {
    // Nothing but these stands between tokens.
    while (offset < source.length && " \r\t\n".includes(source[offset]!)) offset += 1;
    places.set(token, { offset, length: Math.max(1, token.lexeme.length) });
    offset += token.lexeme.length;
  }
  return { tokens, placeOf: (token) => places.get(token)! };
}

function lexed(source: string): Token[] {
  try {
    return new Lexer(source).lex().tokens as unknown as Token[];
  } catch (error) {
    const position = /\. Located at position (\d+) within expression: /.exec((error as Error).message);
    if (position === null) throw error;
    const offset = Number(position[1]) - 1;
    const symbol = (error as Error).message.slice("Unexpected symbol: '".length, position.index - 1);
    throw new UnreadableSymbol(offset, symbol);
  }
}

/** The value of a literal, or the name of a member written after a dot. */
export function literalOf({ type, lexeme }: Token): Json {
  switch (type) {
    case tokenType.text:
      return lexeme.slice(1, -1).replaceAll("''", "'");
    case tokenType.number:
      return Number(lexeme);
    case tokenType.identifier:
      return lexeme;
    case tokenType.true:
      return true;
    case tokenType.false:
      return false;
    default:
      return null;
  }
}

/** Whether a number is written as in JSON, and is one that JSON can hold. */
export function isJsonNumber(lexeme: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(lexeme) && Number.isFinite(Number(lexeme));
}
