// Values of documents whose texts may hold expressions: compiled once, evaluated for each run.

import { GantryError } from "../errors.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { type Evaluator, evaluatorOf, pathReader, type Scope } from "./evaluator.ts";
import { checkLength, tooLarge } from "./limits.ts";
import { hasExpression, parseText } from "./parse-text.ts";
import { wholePathOf } from "./references.ts";
import type { Tree } from "./syntax.ts";
import { startWork, type Work } from "./work.ts";
import { textOf } from "./written.ts";

/** A compiled value. */
export type Template = { constant: Json } | { evaluate: (scope: Scope) => Json };

/** Throws EXPRESSION_FAILED for faulty expressions, which checked documents do not have. */
export function compile(value: Json): Template {
  if (typeof value === "string") return compileText(value);
  if (typeof value !== "object" || value === null) return { constant: value };
  const entries = Object.entries(value).map(([key, inner]) => [key, compile(inner)] as const);
  if (entries.every(([, template]) => "constant" in template)) return { constant: value };
  if (Array.isArray(value)) {
    const items = entries.map(([, template]) => template);
    return { evaluate: (scope) => items.map((item) => evaluate(item, scope)) };
  }
  return { evaluate: (scope) => objectOf(entries.map(([key, template]) => [key, evaluate(template, scope)])) };
}

/** The value in this scope; throws EXPRESSION_FAILED or EXPRESSION_TOO_LARGE. A whole path gives the very value it names. */
export function evaluate(template: Template, scope: Scope): Json {
  return "constant" in template ? template.constant : template.evaluate(scope);
}

function compileText(text: string): Template {
  if (!hasExpression(text)) return { constant: text };
  const { parts, whole, faults } = parseText(text);
  if (faults[0] !== undefined)
    throw new GantryError("EXPRESSION_FAILED", `${faults[0].message}, in ${text.slice(0, 200)}`);
  if (whole) {
    const tree = parts.find((part) => typeof part !== "string") as Tree;
    const path = wholePathOf(tree);
    return { evaluate: path === undefined ? naming(text, evaluatorOf(tree)) : pathReader(path) };
  }
  const pieces = parts.map((part) => (typeof part === "string" ? part : evaluatorOf(part)));
  return { evaluate: naming(text, (scope, work) => concatenate(pieces, scope, work)) };
}

function concatenate(pieces: (string | Evaluator)[], scope: Scope, work: Work): string {
  let text = "";
  for (const piece of pieces) {
    const next = typeof piece === "string" ? piece : textOf(piece(scope, work), work);
    checkLength(text.length + next.length);
    text += next;
  }
  return text;
}

// The message shows the expression and never a value, which may be secret.
function naming(text: string, evaluator: Evaluator): (scope: Scope) => Json {
  return (scope) => {
    try {
      return evaluator(scope, startWork());
    } catch (error) {
      const failure = error instanceof RangeError ? tooLarge("a value is nested too deeply") : error;
      if (!(failure instanceof GantryError)) throw error;
      throw new GantryError(failure.code as "EXPRESSION_FAILED", `${failure.message}, in ${text.slice(0, 200)}`, {
        cause: error,
      });
    }
  };
}

// A key such as __proto__ is a key like any other.
function objectOf(entries: [string, Json][]): JsonObject {
  return Object.fromEntries(entries);
}
