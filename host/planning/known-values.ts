// Values as far as they are known before a run: expressions that read what only the run brings stay as they are written.

import { pointerTo } from "../documents/pointer.ts";
import { isRunSecret } from "../engine/run-secrets.ts";
import { compile, evaluate, hasExpression, parseText, type Scope } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { isSecretReference } from "../secrets.ts";

export interface Known {
  /** What is known of each context; a context that is missing is not known at all. */
  readonly scope: JsonObject;
  /** Contexts of which only the members that are there are known. */
  readonly partial: ReadonlySet<string>;
}

export interface Resolved {
  value: Json;
  /** JSON Pointers of what is left as an expression, or hidden. */
  open: string[];
}

/** Throws EXPRESSION_FAILED where a value that is known cannot be computed. */
export function resolve(value: Json, known: Known): Resolved {
  const open: string[] = [];
  return { value: resolved(value, [], known, open), open };
}

/** The value, or undefined where not all of it is known. */
export function resolveWhole(value: Json, known: Known): Json | undefined {
  const { value: found, open } = resolve(value, known);
  return open.length === 0 ? found : undefined;
}

/** The members that are wholly known, as a context of their own. */
export function knownMembers({ value, open }: Resolved): JsonObject {
  const hidden = new Set(open.map((pointer) => pointer.split("/")[1]));
  return Object.fromEntries(
    Object.entries(value as JsonObject).filter(([name]) => !hidden.has(pointerTo([name]).slice(1))),
  );
}

function resolved(value: Json, place: string[], known: Known, open: string[]): Json {
  if (typeof value === "string") {
    if (!hasExpression(value)) return value;
    if (parseText(value).references.every(({ path }) => isKnown(path, known)))
      return evaluate(compile(value), known.scope as Scope);
    open.push(pointerTo(place));
    return value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item, index) => resolved(item, [...place, String(index)], known, open));
  return mapMembers(value, (inner, key) => resolved(inner, [...place, key], known, open));
}

function isKnown([context, member]: readonly (string | number)[], { scope, partial }: Known): boolean {
  if (!Object.hasOwn(scope, context!)) return false;
  if (!partial.has(String(context))) return true;
  return member !== undefined && Object.hasOwn(scope[context!] as JsonObject, member);
}

/** For a person's eyes: secrets are hidden, whether the document names them or they came with the input. */
export function hideSecrets({ value, open }: Resolved): Resolved {
  const hidden: string[] = [];
  return { value: withoutSecrets(value, [], hidden), open: [...open, ...hidden] };
}

function withoutSecrets(value: Json, place: string[], hidden: string[]): Json {
  if (typeof value !== "object" || value === null) return value;
  if (isSecretReference(value) || isRunSecret(value)) {
    hidden.push(pointerTo(place));
    return "***";
  }
  if (Array.isArray(value)) return value.map((item, index) => withoutSecrets(item, [...place, String(index)], hidden));
  return mapMembers(value, (inner, key) => withoutSecrets(inner, [...place, key], hidden));
}

const mapMembers = (object: JsonObject, map: (value: Json, key: string) => Json): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]));
