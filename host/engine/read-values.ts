// Values a workflow computes where the language expects a certain kind: evaluated, checked, and told in its words.

import { parseDuration } from "../duration.ts";
import { type Failure, GantryError, toFailure } from "../errors.ts";
import { evaluate, type Scope, type Template } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";

import type { Action, Program } from "./program.ts";
import type { RecordData, RetryPolicy, RunPolicy, TimeWindow } from "./records.ts";

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
export function readPolicy(
  node: Pick<Action, "timeout" | "retry">,
  scope: Scope,
): Read<Pick<RecordData["running"], "timeoutMs" | "retry">> {
  return attempt(() => ({
    ...(node.timeout === undefined ? {} : { timeoutMs: readTimeout(evaluate(node.timeout, scope)) }),
    ...(node.retry === undefined ? {} : { retry: readRetry(evaluate(node.retry, scope) as JsonObject) }),
  }));
}

/** How many items of a loop at the same time. */
export function readMaxParallel(template: Template | undefined, scope: Scope): Read<number | undefined> {
  return attempt(() => {
    if (template === undefined) return undefined;
    const value = evaluate(template, scope);
    if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1000) return value as number;
    throw wrong("`maxParallel`", "a whole number from 1 to 1000", value);
  });
}

/** The name of a signal. */
export function readSignalName(template: Template, scope: Scope): Read<string> {
  return attempt(() => {
    const value = evaluate(template, scope);
    if (typeof value === "string" && value !== "" && value.length <= 1000) return value;
    throw wrong("the name of a signal", "a text of 1 to 1,000 characters", value);
  });
}

/** What a run keeps to all its life. */
export function readRunPolicy({ window, limits }: Program, scope: Scope): Read<RunPolicy> {
  return attempt(() => ({
    ...(window === undefined ? {} : { window: readWindow(evaluate(window, scope)) }),
    ...(limits === undefined ? {} : readLimits(evaluate(limits, scope) as JsonObject)),
  }));
}

export type Wait =
  | { kind: "duration"; durationMs: number }
  | { kind: "window"; window: TimeWindow }
  | { kind: "signal"; name: string };

/** What a `host/wait` waits for, and its time limit. */
export function readWait(
  node: { with: Template; timeout: Template | undefined },
  scope: Scope,
): Read<{ wait: Wait; timeoutMs: number | undefined }> {
  return attempt(() => {
    const input = evaluate(node.with, scope) as JsonObject;
    const timeoutMs = node.timeout === undefined ? undefined : readTimeout(evaluate(node.timeout, scope));
    return { wait: waitOf(input), timeoutMs };
  });
}

function waitOf({ duration, until, for: name, ...others }: JsonObject): Wait {
  const given = [duration, until, name].filter((value) => value !== undefined);
  if (given.length !== 1 || Object.keys(others).length > 0)
    throw new GantryError("INPUT_INVALID", "host/wait takes one of `duration`, `until` and `for`");
  if (duration !== undefined) return { kind: "duration", durationMs: readDuration("`duration`", duration) };
  if (until !== undefined) return { kind: "window", window: readWindow(until) };
  if (typeof name === "string" && name !== "") return { kind: "signal", name };
  throw wrong("`for`", "the name of a signal", name!);
}

function readWindow(value: Json): TimeWindow {
  const { from, to } = (value ?? {}) as JsonObject;
  const isTime = (text: Json | undefined) => typeof text === "string" && /^(?:[01]\d|2[0-3]):[0-5]\d$/.test(text);
  if (!isTime(from)) throw wrong("`from`", "a time of day such as 22:00", from ?? null);
  if (!isTime(to)) throw wrong("`to`", "a time of day such as 04:00", to ?? null);
  return { from: from as string, to: to as string };
}

function readLimits({ bytesPerSecond }: JsonObject): RunPolicy {
  if (bytesPerSecond === undefined) return {};
  if (Number.isInteger(bytesPerSecond) && (bytesPerSecond as number) >= 1)
    return { bytesPerSecond: bytesPerSecond as number };
  throw wrong("`bytesPerSecond`", "a whole number from 1", bytesPerSecond);
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

/** A hundred years: what lies further ahead is no time that a calendar can name. */
const maxDurationMs = 36_500 * 86_400_000;

function readDuration(what: string, value: Json): number {
  const durationMs = typeof value === "string" ? parseDuration(value) : undefined;
  if (durationMs === undefined) throw wrong(what, "a duration with a unit, such as 300ms, 5s or 1h30m", value);
  if (durationMs > maxDurationMs) throw wrong(what, "at most 36500d", value);
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
