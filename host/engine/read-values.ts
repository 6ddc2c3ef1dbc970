// Values a workflow computes where the language expects a certain kind: evaluated, checked, and told in its words.

import { parseDuration } from "../duration.ts";
import { type Failure, GantryError, toFailure } from "../errors.ts";
import { evaluate, type Scope, type Template } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";

import type { StepNode } from "./program.ts";
import type { RecordData, RetryPolicy } from "./records.ts";

export type Read<Value> = { ok: true; value: Value } | { ok: false; error: Failure };

export function evaluateAt(template: Template, scope: Scope): Read<Json> {
  return attempt(() => evaluate(template, scope));
}

/** A condition: true, or false for null. */
export function readBoolean(template: Template, scope: Scope): Read<boolean> {
  return attempt(() => {
    const value = evaluate(template, scope);
    if (typeof value === "boolean" || value === null) return value === true;
    throw wrong("`if`", "true or false", value);
  });
}

export function readItems(template: Template, scope: Scope): Read<Json[]> {
  return attempt(() => {
    const value = evaluate(template, scope);
    if (Array.isArray(value)) return value;
    throw wrong("`forEach`", "a list", value);
  });
}

/** The time limit and retry policy of a step. */
export function readPolicy(node: StepNode, scope: Scope): Read<Pick<RecordData["running"], "timeoutMs" | "retry">> {
  return attempt(() => ({
    ...(node.timeout === undefined ? {} : { timeoutMs: readTimeout(evaluate(node.timeout, scope)) }),
    ...(node.retry === undefined ? {} : { retry: readRetry(evaluate(node.retry, scope) as JsonObject) }),
  }));
}

function readTimeout(value: Json): number {
  const durationMs = readDuration("`timeout`", value);
  if (durationMs === 0) throw wrong("`timeout`", "longer than zero", value);
  return durationMs;
}

function readRetry(retry: JsonObject): RetryPolicy {
  const { retries, delay = "1s", backoff = 2, maxDelay = "5m" } = retry;
  if (!Number.isInteger(retries) || (retries as number) < 0)
    throw wrong("`retries`", "a whole number from 0", retries!);
  if (typeof backoff !== "number" || backoff < 1) throw wrong("`backoff`", "a number from 1", backoff);
  return {
    retries: retries as number,
    delayMs: readDuration("`delay`", delay),
    backoff,
    maxDelayMs: readDuration("`maxDelay`", maxDelay),
  };
}

function readDuration(what: string, value: Json): number {
  const durationMs = typeof value === "string" ? parseDuration(value) : undefined;
  if (durationMs === undefined) throw wrong(what, "a duration with a unit, such as 300ms, 5s or 1h30m", value);
  return durationMs;
}

// Names the kind of the value only: the value itself may be a secret.
function wrong(what: string, expected: string, value: Json): GantryError {
  const kind = value === null ? "null" : Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
  return new GantryError("EXPRESSION_FAILED", `${what} must be ${expected}, but is ${kind}`);
}

function attempt<Value>(read: () => Value): Read<Value> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    return { ok: false, error: toFailure(error) };
  }
}
