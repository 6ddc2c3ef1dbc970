// Our own small tree of an expression; the library's parser gives the shape, and this module the strictness.

import { type Expr, Lexer, Parser } from "@actions/expressions";
import { nearest } from "../nearest.ts";
import type { Json } from "../sdk.ts";
import { functions } from "./functions.ts";

export type Tree =
  | { kind: "literal"; value: Json }
  | { kind: "context"; name: string; at: Place }
  | { kind: "member"; of: Tree; key: Tree; at: Place | undefined }
  | { kind: "call"; name: string; args: Tree[]; at: Place }
  | { kind: "not"; of: Tree }
  | { kind: "logical"; operator: "&&" | "||"; args: Tree[] }
  | { kind: "compare"; operator: Comparison; left: Tree; right: Tree };

export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** Where something stands in the expression's source, in UTF-16 units. */
export interface Place {
  offset: number;
  length: number;
}

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

interface Token {
  type: number;
  lexeme: string;
  range: { start: { line: number; column: number } };
}

// The lexer's numbers for what is told apart here; it does not export their names.
const identifier = 19;
const leftParenthesis = 1;

const maxLength = 21_000;

/** Parses one expression, without its `${{ }}`. `contexts` are the names that may begin a path; undefined allows all. */
export function parseExpression(
  source: string,
  contexts: readonly string[] | undefined,
): { tree: Tree | undefined; faults: SyntaxFault[] } {
  if (source.trim() === "")
    return failed({ code: "EXPRESSION_SYNTAX", message: "the expression is empty", ...whole(source) });
  if (source.length > maxLength)
    return failed({
      code: "EXPRESSION_TOO_COMPLEX",
      message: `an expression has at most ${maxLength} characters`,
      ...whole(source),
    });
  const offsetOf = lineOffsets(source);
  const placeOf = (token: Token): Place => ({
    offset: offsetOf(token.range.start),
    length: Math.max(1, token.lexeme.length),
  });
  try {
    const tokens = new Lexer(source).lex().tokens as unknown as Token[];
    const names = tokens.filter(({ type }) => type === identifier).map(({ lexeme }) => lexeme);
    const called = tokens.filter(
      ({ type }, index) => type === identifier && tokens[index + 1]?.type === leftParenthesis,
    );
    // Every name is let through here, and judged below: the library ignores case and knows names of its own.
    const lenient = called.map(({ lexeme }) => ({
      name: lexeme,
      description: "",
      minArgs: 0,
      maxArgs: 255,
      call: () => never(),
    }));
    const tree = new Parser(tokens as never, names, lenient as never).parse();
    const conversion = new Conversion(placeOf, contexts);
    const converted = conversion.convert(tree);
    return { tree: conversion.faults.length === 0 ? converted : undefined, faults: conversion.faults };
  } catch (error) {
    return failed(faultOf(error as Error, source, offsetOf));
  }
}

class Conversion {
  readonly faults: SyntaxFault[] = [];
  readonly #placeOf: (token: Token) => Place;
  readonly #contexts: readonly string[] | undefined;

  constructor(placeOf: (token: Token) => Place, contexts: readonly string[] | undefined) {
    this.#placeOf = placeOf;
    this.#contexts = contexts;
  }

  convert(expression: Expr): Tree {
    // The library's visitor; its node classes are not exported.
    return expression.accept<Tree>({
      visitLiteral: ({ literal }) => ({ kind: "literal", value: (literal as { value?: Json }).value ?? null }),
      visitGrouping: ({ group }) => this.convert(group),
      visitUnary: ({ expr }) => ({ kind: "not", of: this.convert(expr) }),
      visitLogical: ({ operator, args }) => ({
        kind: "logical",
        operator: operator.lexeme as "&&" | "||",
        args: args.map((argument) => this.convert(argument)),
      }),
      visitBinary: ({ operator, left, right }) => ({
        kind: "compare",
        operator: operator.lexeme as Comparison,
        left: this.convert(left),
        right: this.convert(right),
      }),
      visitContextAccess: ({ name }) => this.#context(name as unknown as Token),
      visitIndexAccess: ({ expr, index }) => this.#member(expr, index),
      visitFunctionCall: ({ functionName, args }) => this.#call(functionName as unknown as Token, args),
    });
  }

  #context(token: Token): Tree {
    const { lexeme: name } = token;
    const at = this.#placeOf(token);
    if (this.#contexts !== undefined && !this.#contexts.includes(name)) {
      this.#fault(
        "EXPRESSION_UNKNOWN_CONTEXT",
        `nothing here is called ${name}; known are ${this.#contexts.join(", ")}`,
        at,
        nearest(name, this.#contexts),
      );
    }
    return { kind: "context", name, at };
  }

  #member(of: Expr, index: Expr): Tree {
    const token = (index as unknown as { token?: Token }).token;
    if (index.constructor.name === "Star") {
      const inside = this.convert(of);
      this.#fault(
        "EXPRESSION_SYNTAX",
        "`*` has no meaning here; use forEach to go through a list",
        "at" in inside && inside.at ? inside.at : { offset: 0, length: 1 },
      );
      return inside;
    }
    return {
      kind: "member",
      of: this.convert(of),
      key: this.convert(index),
      at: token === undefined ? undefined : this.#placeOf(token),
    };
  }

  #call(token: Token, args: Expr[]): Tree {
    const { lexeme: name } = token;
    const at = this.#placeOf(token);
    const known = functions.get(name);
    if (known === undefined) {
      this.#fault("EXPRESSION_UNKNOWN_FUNCTION", `there is no function ${name}`, at, nearest(name, functions.keys()));
    } else if (args.length < known.minArgs || args.length > known.maxArgs) {
      this.#fault("EXPRESSION_ARGUMENTS", `${name} takes ${known.takes}, but is given ${args.length}`, at);
    }
    return { kind: "call", name, args: args.map((argument) => this.convert(argument)), at };
  }

  #fault(code: SyntaxFault["code"], message: string, at: Place, suggestion?: string): void {
    this.faults.push({ code, message, ...at, ...(suggestion === undefined ? {} : { suggestion }) });
  }
}

// The parser's errors have a position, those of the lexer only say it in their text.
function faultOf(
  error: Error & { pos?: { line: number; column: number }; typ?: number },
  source: string,
  offsetOf: ReturnType<typeof lineOffsets>,
): SyntaxFault {
  if (error instanceof RangeError || /max(imum)? (depth|length)/i.test(error.message))
    return { code: "EXPRESSION_TOO_COMPLEX", message: "the expression is nested too deeply", ...whole(source) };
  const located = /Located at position (\d+)/.exec(error.message);
  const offset = Math.min(
    error.pos === undefined ? Number(located?.[1] ?? 1) - 1 : offsetOf(error.pos),
    Math.max(0, source.length - 1),
  );
  if (/parameters supplied/.test(error.message)) {
    const name = /'(.*)'/.exec(error.message)?.[1] ?? "";
    const takes = functions.get(name)?.takes;
    if (takes === undefined)
      return {
        code: "EXPRESSION_UNKNOWN_FUNCTION",
        message: `there is no function ${name}`,
        offset,
        length: name.length || 1,
      };
    return { code: "EXPRESSION_ARGUMENTS", message: `${name} takes ${takes}`, offset, length: name.length };
  }
  if (/end of expression/i.test(error.message))
    return {
      code: "EXPRESSION_SYNTAX",
      message: "the expression ends too early",
      offset: Math.max(0, source.trimEnd().length - 1),
      length: 1,
    };
  const symbol = /Unexpected symbol: '([\s\S]*?)'(?:\.|$)/.exec(error.message)?.[1] ?? source[offset] ?? "";
  const unclosed = symbol.startsWith("'");
  const message = unclosed ? "a text is not closed by '" : `${symbol} is not expected here`;
  return {
    code: "EXPRESSION_SYNTAX",
    message,
    offset,
    length: Math.max(1, Math.min(symbol.length, source.length - offset)),
  };
}

function failed(fault: SyntaxFault): { tree: undefined; faults: SyntaxFault[] } {
  return { tree: undefined, faults: [fault] };
}

function whole(source: string): Place {
  return { offset: 0, length: Math.max(1, source.length) };
}

function never(): never {
  throw new Error("expressions are evaluated here, not by the library");
}

function lineOffsets(source: string): (position: { line: number; column: number }) => number {
  const starts = [0];
  for (let index = source.indexOf("\n"); index >= 0; index = source.indexOf("\n", index + 1)) starts.push(index + 1);
  return ({ line, column }) => (starts[line] ?? 0) + column;
}
