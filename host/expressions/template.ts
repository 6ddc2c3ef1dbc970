// Values of documents whose texts may hold expressions: compiled once, evaluated for each run.

import { GantryError } from "../errors.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { type Evaluator, evaluatorOf, type Scope } from "./evaluator.ts";
import { capped, textOf, tooLarge } from "./limits.ts";
import { hasExpression, parseText } from "./parse-text.ts";

/** A compiled value. */
export type Template = { constant: Json } | { evaluate: Evaluator };

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
  if (faults[0] !== undefined) throw new GantryError("EXPRESSION_FAILED", `${faults[0].message} in ${text}`);
  const pieces = parts.map((part) => (typeof part === "string" ? part : evaluatorOf(part)));
  if (whole) return { evaluate: naming(text, pieces.find((piece) => typeof piece !== "string") as Evaluator) };
  return { evaluate: naming(text, (scope) => concatenate(pieces, scope)) };
}

function concatenate(pieces: (string | Evaluator)[], scope: Scope): string {
  let text = "";
  for (const piece of pieces) {
    const next = typeof piece === "string" ? piece : textOf(piece(scope));
    capped("", text.length + next.length);
    text += next;
  }
  return text;
}

// The message shows the expression and never a value, which may be secret.
function naming(text: string, evaluator: Evaluator): Evaluator {
  return (scope) => {
    try {
      return evaluator(scope);
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
