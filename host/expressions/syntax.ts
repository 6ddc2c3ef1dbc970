// Our own small tree of an expression; the library's parser gives the shape, and this module the strictness.

import { type Expr, Parser } from "@actions/expressions";
import { nearest } from "../nearest.ts";
import type { Json } from "../sdk.ts";
import { functions } from "./functions.ts";
import { type SyntaxFault, syntaxFaultOf, tokenFaults, tooComplex, unknownFunction } from "./syntax-faults.ts";
import { lex, literalOf, type Place, type Token, tokenType } from "./tokens.ts";

export type Tree =
  | { kind: "literal"; value: Json }
  | { kind: "context"; name: string; at: Place }
  | { kind: "member"; of: Tree; key: Tree; at: Place | undefined }
  | { kind: "call"; name: string; args: Tree[]; at: Place }
  | { kind: "not"; of: Tree }
  | { kind: "logical"; operator: "&&" | "||"; args: Tree[] }
  | { kind: "compare"; operator: Comparison; left: Tree; right: Tree };

export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";

const maxLength = 21_000;

// The library limits what is nested, but not how many comparisons follow each other, and those nest, too.
const maxDepth = 200;

/** Parses one expression, without its `${{ }}`. `contexts` are the names that may begin a path; undefined allows all. */
export function parseExpression(
  source: string,
  contexts: readonly string[] | undefined,
): { tree: Tree | undefined; faults: SyntaxFault[] } {
  if (source.trim() === "")
    return failed({
      code: "EXPRESSION_SYNTAX",
      message: "the expression is empty",
      offset: 0,
      length: Math.max(1, source.length),
    });
  if (source.length > maxLength) return failed(tooComplex(source, `an expression has at most ${maxLength} characters`));
  let placeOf: ((token: Token) => Place) | undefined;
  try {
    const lexed = lex(source);
    placeOf = lexed.placeOf;
    const { tokens } = lexed;
    const unfit = tokenFaults(tokens, placeOf);
    if (unfit.length > 0) return { tree: undefined, faults: unfit };
    const conversion = new Conversion(placeOf, contexts);
    const tree = conversion.convert(parse(tokens));
    return { tree, faults: conversion.faults };
  } catch (error) {
    return failed(syntaxFaultOf(error as Error, source, placeOf));
  }
}

// Every name is let through here, and judged in the conversion: the library ignores case and knows names of its own.
function parse(tokens: Token[]): Expr {
  const names = tokens.filter(({ type }) => type === tokenType.identifier).map(({ lexeme }) => lexeme);
  const called = tokens.filter(
    ({ type }, index) => type === tokenType.identifier && tokens[index + 1]?.type === tokenType.leftParenthesis,
  );
  const lenient = called.map(({ lexeme: name }) => ({ name, description: "", minArgs: 0, maxArgs: 255, call: never }));
  return new Parser(tokens as never, names, lenient as never).parse();
}

class Conversion {
  readonly faults: SyntaxFault[] = [];
  readonly #placeOf: (token: Token) => Place;
  readonly #contexts: readonly string[] | undefined;
  #depth = 0;

  constructor(placeOf: (token: Token) => Place, contexts: readonly string[] | undefined) {
    this.#placeOf = placeOf;
    this.#contexts = contexts;
  }

  convert(expression: Expr): Tree {
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new RangeError("too many comparisons in a row");
    // The library's visitor; its node classes are not exported.
    const tree = expression.accept<Tree>({
      visitLiteral: ({ token }) => ({ kind: "literal", value: literalOf(token as unknown as Token) }),
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
    this.#depth -= 1;
    return tree;
  }

  #context(token: Token): Tree {
    const { lexeme: name } = token;
    const at = this.#placeOf(token);
    if (this.#contexts !== undefined && !this.#contexts.includes(name)) {
      const known =
        this.#contexts.length === 0
          ? "nothing is known here"
          : `known ${this.#contexts.length === 1 ? "is" : "are"} ${this.#contexts.join(", ")}`;
      const message = `nothing here is called ${name}; ${known}`;
      this.#fault("EXPRESSION_UNKNOWN_CONTEXT", message, at, nearest(name, this.#contexts));
    }
    return { kind: "context", name, at };
  }

  #member(of: Expr, index: Expr): Tree {
    const { token } = index as unknown as { token?: Token };
    const at = token === undefined ? undefined : this.#placeOf(token);
    return { kind: "member", of: this.convert(of), key: this.convert(index), at };
  }

  #call(token: Token, args: Expr[]): Tree {
    const { lexeme: name } = token;
    const at = this.#placeOf(token);
    const known = functions.get(name);
    if (known === undefined) {
      this.faults.push(unknownFunction(name, at));
    } else if (args.length < known.minArgs || args.length > known.maxArgs) {
      this.#fault("EXPRESSION_ARGUMENTS", `${name} takes ${known.takes}, but is given ${args.length}`, at);
    }
    return { kind: "call", name, args: args.map((argument) => this.convert(argument)), at };
  }

  #fault(code: SyntaxFault["code"], message: string, at: Place, suggestion?: string): void {
    this.faults.push({ code, message, ...at, ...(suggestion === undefined ? {} : { suggestion }) });
  }
}

function failed(fault: SyntaxFault): { tree: undefined; faults: SyntaxFault[] } {
  return { tree: undefined, faults: [fault] };
}

function never(): never {
  throw new Error("expressions are evaluated here, not by the library");
}
