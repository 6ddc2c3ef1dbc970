// What was thrown on one side, in a form that the other side can throw: the same code, details, retryable, answer and
// remedy, so that a failure reads the same whichever carrier a plugin has.

import { type JsonObject, PluginError, type PluginErrorOptions, PluginUnavailable } from "../sdk.ts";

export interface CarriedError {
  /** False where something else than an Error was thrown; `message` is its text then. */
  isError: boolean;
  /** Whether it was made as a PluginError, of whichever kind. */
  isPluginError: boolean;
  name: string;
  message: string;
  code?: string;
  details?: JsonObject;
  retryable?: boolean;
  answer?: { status: number; error?: string };
  remedy?: string;
  stack?: string;
}

const maxTextLength = 16_384;
const maxDetailsLength = 65_536;

export function carryError(error: unknown): CarriedError {
  try {
    return written(error);
  } catch (failure) {
    // Its members may be anything, getters that throw among them.
    const message = `an error that cannot be read: ${textOf(failure)}`;
    return { isError: true, isPluginError: false, name: "Error", message: cut(message) };
  }
}

function written(error: unknown): CarriedError {
  if (!(error instanceof Error))
    return { isError: false, isPluginError: false, name: "Error", message: cut(textOf(error)) };
  const { code, details, retryable, answer, remedy } = error as Partial<PluginUnavailable>;
  return JSON.parse(
    JSON.stringify({
      isError: true,
      isPluginError: error instanceof PluginError,
      name: cut(error.name),
      message: cut(error.message),
      code: typeof code === "string" ? cut(code) : undefined,
      details: isSmall(details) ? details : undefined,
      retryable,
      answer: isSmall(answer) ? answer : undefined,
      remedy,
      stack: typeof error.stack === "string" ? cut(error.stack) : undefined,
    }),
  ) as CarriedError;
}

/** Trusts nothing of what it is given; the result can be thrown. */
export function restoreError(carried: unknown): unknown {
  const given = isObject(carried) ? carried : {};
  const message = text(given.message) ?? "it failed without a message";
  if (given.isError === false) return message;
  const code = text(given.code);
  const options: PluginErrorOptions = {};
  if (isObject(given.details) && isSmall(given.details)) options.details = given.details as JsonObject;
  if (typeof given.retryable === "boolean") options.retryable = given.retryable;
  const answer = answerOf(given.answer);
  if (answer !== undefined) options.answer = answer;
  const remedy = text(given.remedy);
  const error = make(code, message, remedy, options, given.isPluginError === true);
  const name = text(given.name);
  if (name !== undefined && error.name !== name) error.name = name;
  const stack = text(given.stack);
  if (stack !== undefined) error.stack = stack;
  return error;
}

function make(
  code: string | undefined,
  message: string,
  remedy: string | undefined,
  options: PluginErrorOptions,
  isPluginError: boolean,
): Error {
  if (code === "PLUGIN_UNAVAILABLE" && remedy !== undefined) return new PluginUnavailable(message, remedy, options);
  const extra = remedy === undefined ? {} : { remedy };
  if (isPluginError && code !== undefined) return Object.assign(new PluginError(code, message, options), extra);
  // A system error, say: its members stand beside its message.
  return Object.assign(new Error(message), code === undefined ? {} : { code }, options, extra);
}

function answerOf(value: unknown): { status: number; error?: string } | undefined {
  if (!isObject(value) || typeof value.status !== "number") return undefined;
  const error = text(value.error);
  return { status: value.status, ...(error === undefined ? {} : { error }) };
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "something that has no text";
  }
}

// Facts that are too large or no JSON are left out; the failure itself must not be lost.
function isSmall(value: unknown): boolean {
  try {
    return (JSON.stringify(value)?.length ?? 0) <= maxDetailsLength;
  } catch {
    return false;
  }
}

const cut = (value: string) => (value.length > maxTextLength ? `${value.slice(0, maxTextLength)}...` : value);

const text = (value: unknown) => (typeof value === "string" ? cut(value) : undefined);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
