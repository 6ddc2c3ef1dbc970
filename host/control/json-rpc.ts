// JSON-RPC 2.0, one object a line: https://www.jsonrpc.org/specification. Lists of requests are not taken.

import { type Failure, GantryError, toFailure } from "../errors.ts";
import { isObject } from "../is-object.ts";
import { isDeeperThan } from "../isolation/json-depth.ts";
import { type Json, type JsonObject, PluginError } from "../sdk.ts";

/** The longest line the host reads; the input of a run must fit. */
export const maxRequestBytes = 1 << 20;

/** How deep a request may nest lists and objects. */
const maxDepth = 200;

export type RequestId = string | number | null;

export interface Request {
  /** Undefined for a notification, which is not answered. */
  id: RequestId | undefined;
  method: string;
  params: JsonObject;
}

export interface ErrorObject {
  code: number;
  message: string;
  /** The failure behind it, where the request itself was in order. */
  data?: Failure;
}

export type Response = { jsonrpc: "2.0"; id: RequestId } & ({ result: Json } | { error: ErrorObject });

export interface Notification {
  jsonrpc: "2.0";
  method: string;
  params: JsonObject;
}

export const standardErrors = {
  parse: { code: -32700, message: "the line is not JSON" },
  request: { code: -32600, message: "the line is not a JSON-RPC 2.0 request" },
  method: { code: -32601, message: "there is no such method" },
  params: { code: -32602, message: "the params are not what the method takes" },
  internal: { code: -32603, message: "the host has made a mistake; its log has it" },
} as const;

/** What the host refused to do, or failed at: `error.data` has the code. */
export const failureCode = -32000;

export type Reading = { request: Request } | { refusal: Response };

export function readRequest(line: Buffer): Reading {
  let value: unknown;
  if (isDeeperThan(maxDepth, line)) return { refusal: refuse(null, standardErrors.request, "it is nested too deeply") };
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch {
    return { refusal: refuse(null, standardErrors.parse) };
  }
  if (!isObject(value)) return { refusal: refuse(null, standardErrors.request) };
  const { jsonrpc, id, method, params = {} } = value;
  const known = isId(id) ? id : null;
  if (jsonrpc !== "2.0" || typeof method !== "string" || (id !== undefined && !isId(id)))
    return { refusal: refuse(known, standardErrors.request) };
  if (!isObject(params)) return { refusal: refuse(known, standardErrors.params, "they must be an object") };
  return { request: { id, method, params } };
}

export function refuse(id: RequestId, error: Omit<ErrorObject, "data">, why?: string): Response {
  const message = why === undefined ? error.message : `${error.message}: ${why}`;
  return { jsonrpc: "2.0", id, error: { code: error.code, message } };
}

/** The params are not what the method takes. */
export class ParamsError extends Error {}

/** Only what carries a code of its own is passed on; anything else is a mistake of ours, and its text may say too much. */
export function answerFailure(id: RequestId, error: unknown): Response {
  if (error instanceof ParamsError) return refuse(id, standardErrors.params, error.message);
  if (!(error instanceof Error) || typeof (error as { code?: unknown }).code !== "string")
    return refuse(id, standardErrors.internal);
  const failure = toFailure(error);
  return { jsonrpc: "2.0", id, error: { code: failureCode, message: failure.message, data: failure } };
}

/** What was thrown in the host, as the command sees it. */
export class RemoteError extends PluginError {
  readonly remedy: string | undefined;

  constructor({ code, message, remedy, retryable, details }: Failure) {
    super(code, message, { retryable, ...(details === undefined ? {} : { details }) });
    this.name = "RemoteError";
    this.remedy = remedy;
  }
}

export function asError({ code, message, data }: ErrorObject): Error {
  if (data !== undefined) return new RemoteError(data);
  return new GantryError("CONTROL_FAILED", `the host answers: ${message} (${code})`);
}

const isId = (id: unknown): id is RequestId => id === null || typeof id === "string" || typeof id === "number";
