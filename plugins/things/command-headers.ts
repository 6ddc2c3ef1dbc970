// The headers of a command that matter here.

import type { JsonObject } from "gantry";
import type { Rules } from "./answers.ts";
import { type Envelope, headerOf } from "./envelope.ts";

export interface CommandHeaders {
  headers: JsonObject;
  responseRequired: boolean;
  /** Empty where there is none. */
  correlationId: string;
  /** What is wrong with them, for an answer. */
  problem: string | undefined;
  /** Whether it is the request's own path that an answer about the problem names. */
  onRequestPath: boolean;
}

/** Where it cannot be known whether an answer is wanted, it is. */
export function readCommandHeaders({ headers, value }: Envelope, rules: Rules): CommandHeaders {
  const correlationId = headerOf(headers, "correlation-id") ?? "";
  const wanted = headerOf(headers, "response-required") ?? (headers === undefined ? undefined : false);
  const read = {
    headers: isObject(headers) ? headers : {},
    responseRequired: wanted === true,
    correlationId: typeof correlationId === "string" ? correlationId : "",
    problem: undefined,
    onRequestPath: false,
  };
  const refused = (problem: string) => ({ ...read, responseRequired: true, problem });
  if (headers === undefined) return rules.withoutHeaders === "run" ? read : refused("the envelope has no headers");
  if (!isObject(headers)) return refused("the headers of the envelope are no object");
  if (typeof wanted !== "boolean") return refused("the header response-required is no boolean");
  if (typeof correlationId !== "string") return refused("the header correlation-id is no text");
  const problem = rules.checkHeaders ? strictProblem(read.correlationId, headers, value) : undefined;
  return { ...read, problem, onRequestPath: problem !== undefined };
}

function strictProblem(correlationId: string, headers: JsonObject, value: Envelope["value"]): string | undefined {
  if (correlationId === "") return "the header correlation-id is missing";
  const hasValue = value !== undefined && value !== null;
  const isJson = headerOf(headers, "content-type") === "application/json";
  if (hasValue === isJson) return undefined;
  return hasValue ? "the header content-type is not application/json" : "there is a content type, but no value";
}

function isObject(value: Envelope["headers"]): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
