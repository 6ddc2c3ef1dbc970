// Secrets that come with a run's input (`writeOnly` in its schema) are set aside before anything is written: what the
// journal, expressions and logs see is a reference, and the value is put in just before the step that takes it.

import { randomUUID } from "node:crypto";
import { inForce, isWriteOnly, partsFor } from "../documents/write-only.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { registerSecret } from "../secrets.ts";
import { setMember } from "../set-member.ts";

const prefix = "run:";

export function isRunSecret(value: unknown): value is { $secret: string } {
  if (typeof value !== "object" || value === null) return false;
  const { $secret: name } = value as { $secret?: unknown };
  return typeof name === "string" && name.startsWith(prefix) && Object.keys(value).length === 1;
}

/** Whether a value that came from outside pretends to be a reference to a secret. */
export function namesSecret(value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "$secret") || Object.values(value).some(namesSecret);
}

/**
 * Replaces (in place) what the schema marks `writeOnly`; gives the values by their new names. An input that is secret as
 * a whole is replaced member by member. Where a schema only may hold (`anyOf`), what it marks counts as secret; `then`
 * and `else` count as their `if` decides.
 */
export function setSecretsAside(schema: JsonObject | undefined, input: Json): Record<string, Json> {
  const secrets: Record<string, Json> = {};
  if (schema !== undefined) replaceSecrets(schema, input, (value) => setAside(value, secrets));
  return secrets;
}

/**
 * Puts (in place) references where the schema of a step's output marks `writeOnly` and the value is one of the run's
 * secrets, so that a step can sort out what it was given. `nameOf` finds a secret's name.
 */
export function referToSecrets(schema: JsonObject, output: Json, nameOf: (value: Json) => string | undefined): void {
  replaceSecrets(schema, output, (value) => {
    const name = value === null ? undefined : nameOf(value);
    return name === undefined ? value : { $secret: name };
  });
}

function replaceSecrets(schema: JsonObject, value: Json, replacement: (value: Json) => Json): void {
  replaceMembers(schema, inForce(schema, [schema], value), value, replacement);
}

function replaceMembers(
  root: JsonObject,
  schemas: JsonObject[],
  value: Json,
  replacement: (value: Json) => Json,
): void {
  if (typeof value !== "object" || value === null) return;
  const isSecret = schemas.some(isWriteOnly);
  for (const [key, member] of Object.entries(value)) {
    // The same object may stand in two places.
    if (isRunSecret(member)) continue;
    const inner = inForce(root, partsFor(schemas, key, Array.isArray(value)), member);
    if (isSecret || inner.some(isWriteOnly)) setMember(value, key, replacement(member));
    else replaceMembers(root, inner, member, replacement);
  }
}

function setAside(value: Json, secrets: Record<string, Json>): JsonObject {
  const name = `${prefix}${randomUUID()}`;
  secrets[name] = value;
  return { $secret: name };
}

/** From now on nothing the host writes shows these values, until what is returned is called. */
export function maskValues(value: Json): () => void {
  const releases: (() => void)[] = [];
  const register = (inner: Json) => {
    if (typeof inner === "string") releases.push(registerSecret(inner));
    else if (typeof inner === "object" && inner !== null) Object.values(inner).forEach(register);
  };
  register(value);
  return () => {
    for (const release of releases) release();
  };
}

/** How many ended runs keep their secrets masked: what is left of them may still say something. */
const stillMasked = 100;
const ending: (() => void)[] = [];

/** Lets the masks of a run that has ended go, but not at once. */
export function unmaskLater(release: () => void): void {
  ending.push(release);
  if (ending.length > stillMasked) ending.shift()!();
}

/** A copy of an input, with the run's own secrets in the places of their references. */
export function putSecretsIn(value: Json, find: (name: string) => Json | undefined): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => putSecretsIn(item, find));
  if (isRunSecret(value)) {
    const found = find(value.$secret);
    return found === undefined ? value : found;
  }
  const copy: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) setMember(copy, key, putSecretsIn(inner, find));
  return copy;
}
