// Values on their way between host and plugin process: JSON, and beside it what JSON has no form for, each with the path
// to its place. Bytes and `undefined` pass wherever they stand. Functions pass as references, but only where the contract
// has them: as an argument, as a result, and inside an object given through `byReference`; in other places they are left
// out, as JSON does.

import type { Json, JsonObject } from "../sdk.ts";
import { setMember } from "../set-member.ts";
import { type CarriedError, carryError, restoreError } from "./carried-error.ts";

type Path = (string | number)[];

export type Extra =
  | [path: Path, kind: "undefined"]
  | [path: Path, kind: "buffer" | "bytes", base64: string]
  | [path: Path, kind: "function", id: number, oneWay?: 1]
  | [path: Path, kind: "signal", id: number, reason?: CarriedError];

export interface Encoded {
  value: Json;
  extras: Extra[];
}

// biome-ignore lint/suspicious/noExplicitAny: any function may be given to the other side
export type AnyFunction = (...args: any[]) => unknown;

/** The side that keeps functions and signals for the other one, under ids. */
export interface Lender {
  lend(given: AnyFunction): number;
  lendSignal(signal: AbortSignal): number;
}

/** The side that makes stand-ins for them. */
export interface Borrower {
  borrow(id: number, oneWay: boolean): AnyFunction;
  borrowSignal(id: number, reason: Error | undefined): AbortSignal;
}

const maxDepth = 200;
const references = new WeakSet<object>();
const oneWayFunctions = new WeakSet<AnyFunction>();

/** The functions anywhere in this object pass as references. */
export function byReference<Value extends object>(value: Value): Value {
  references.add(value);
  return value;
}

/** Nobody waits for what this function returns or throws. */
export function oneWay<Given extends AnyFunction>(given: Given): Given {
  oneWayFunctions.add(given);
  return given;
}

/** Throws a TypeError for what has no JSON form: BigInt, circles, more than 200 levels. */
export function encode(value: unknown, lender: Lender): Encoded {
  return encodeAt(value, lender, []);
}

/** The same for arguments, each of which may be a function. */
export function encodeArguments(args: readonly unknown[], lender: Lender): { value: Json[]; extras: Extra[] } {
  const encoded = args.map((argument, index) => encodeAt(argument, lender, [index]));
  return { value: encoded.map(({ value }) => value), extras: encoded.flatMap(({ extras }) => extras) };
}

function encodeAt(root: unknown, lender: Lender, start: Path): Encoded {
  const extras: Extra[] = [];
  const path: Path = [...start];
  /** `undefined` for what has no form. */
  const visit = (value: unknown, lends: boolean): Json | undefined => {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) ? value : null;
      case "bigint":
        throw new TypeError("a BigInt has no form in JSON");
      case "function":
        if (!lends) return undefined;
        extras.push([[...path], "function", lender.lend(value as AnyFunction), ...oneWayMark(value as AnyFunction)]);
        return null;
      case "object":
        return value === null ? null : visitObject(value, lends || references.has(value));
      default:
        return undefined;
    }
  };
  const visitObject = (value: object, lends: boolean): Json | undefined => {
    if (value instanceof Uint8Array) {
      const base64 = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
      extras.push([[...path], Buffer.isBuffer(value) ? "buffer" : "bytes", base64]);
      return null;
    }
    if (value instanceof AbortSignal) {
      const reason: [CarriedError?] = value.aborted ? [carryError(value.reason)] : [];
      extras.push([[...path], "signal", lender.lendSignal(value), ...reason]);
      return null;
    }
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === "function") return visit(toJSON.call(value, ""), lends);
    if (path.length >= maxDepth) throw new TypeError(`a value has a circle or more than ${maxDepth} levels`);
    if (Array.isArray(value))
      return value.map((item, index) => visitMember(index, item, lends) ?? missing(item, index));
    const plain: JsonObject = {};
    for (const [key, member] of Object.entries(value)) {
      const encoded = visitMember(key, member, lends);
      if (encoded !== undefined) setMember(plain, key, encoded);
    }
    return plain;
  };
  const visitMember = (key: string | number, member: unknown, lends: boolean): Json | undefined => {
    path.push(key);
    const encoded = visit(member, lends);
    path.pop();
    return encoded;
  };
  const missing = (value: unknown, ...key: Path): null => {
    if (value === undefined) extras.push([[...path, ...key], "undefined"]);
    return null;
  };
  const value = visit(root, typeof root === "function");
  return { value: value === undefined ? missing(root) : value, extras };
}

const oneWayMark = (given: AnyFunction): [1?] => (oneWayFunctions.has(given) ? [1] : []);

/** Puts the extras into their places; throws where they do not fit, as only a broken sender writes them. */
export function decode({ value, extras }: { value: unknown; extras: unknown }, borrower: Borrower): unknown {
  if (!Array.isArray(extras)) throw new TypeError("`extras` are no list");
  const root = { value };
  for (const extra of extras) {
    const [path, kind, ...facts] = extra as [unknown, unknown, ...unknown[]];
    const { holder, key } = placeOf(root, path);
    // What stands there is overwritten, so it must be there: a path never adds a member.
    setMember(holder, key, restore(kind, facts, borrower));
  }
  return root.value;
}

function placeOf(root: object, path: unknown): { holder: object; key: string | number } {
  if (!Array.isArray(path) || path.length > maxDepth) throw new TypeError("the path of an extra is no path");
  let holder: unknown = root;
  let key: string | number = "value";
  for (const part of path) {
    holder = (holder as Record<string | number, unknown>)[key];
    key = part as string | number;
    if (typeof holder !== "object" || holder === null) throw new TypeError("an extra has no place");
    if ((typeof key !== "string" && typeof key !== "number") || !Object.hasOwn(holder, key))
      throw new TypeError("an extra has no place");
  }
  return { holder: holder as object, key };
}

function restore(kind: unknown, [first, second]: unknown[], borrower: Borrower): unknown {
  if (kind === "undefined") return undefined;
  if (kind === "buffer" && typeof first === "string") return Buffer.from(first, "base64");
  if (kind === "bytes" && typeof first === "string") return new Uint8Array(Buffer.from(first, "base64"));
  if (!Number.isSafeInteger(first)) throw new TypeError("an extra is of no known kind");
  if (kind === "function") return borrower.borrow(first as number, second === 1);
  if (kind === "signal")
    return borrower.borrowSignal(first as number, second === undefined ? undefined : (restoreError(second) as Error));
  throw new TypeError("an extra is of no known kind");
}
