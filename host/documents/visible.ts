// What expressions may read at one place of a workflow, and what is known of its shape.

import { nearest } from "../nearest.ts";
import type { Json, JsonObject } from "../sdk.ts";

/** What is known of a value: a JSON Schema, or nothing. */
export type Shape = JsonObject | undefined;

export interface Visible {
  /** By context name. */
  contexts: ReadonlyMap<string, Shape>;
  /** Outputs of the steps that have run by then, by id. */
  steps: ReadonlyMap<string, Shape>;
  /** Ids that come later in the same list. */
  later: ReadonlySet<string>;
}

export const closed = (properties: Record<string, Json>): JsonObject => ({
  type: "object",
  properties,
  additionalProperties: false,
});

/** Which part of a path does not exist: its index in the path, and why. */
export interface Missing {
  segment: number;
  message: string;
  suggestion?: string;
}

export function findMissing(path: readonly (string | number)[], visible: Visible): Missing | undefined {
  const [context, ...rest] = path as [string, ...(string | number)[]];
  if (context !== "steps") return missingIn(visible.contexts.get(context), rest, 1, context);
  const [id, member, ...inner] = rest;
  if (id === undefined) return undefined;
  if (typeof id !== "string" || !visible.steps.has(id)) {
    const message = visible.later.has(String(id))
      ? `step ${id} has not run at this place`
      : `no step called ${id} is visible here`;
    return { segment: 1, message, ...meant(String(id), visible.steps.keys()) };
  }
  if (member === undefined || member === "status") return undefined;
  if (member !== "outputs")
    return {
      segment: 2,
      message: `a step has \`outputs\` and \`status\`, and no ${member}`,
      ...meant(String(member), ["outputs", "status"]),
    };
  return missingIn(visible.steps.get(id), inner, 3, `steps.${id}.outputs`);
}

function missingIn(
  shape: Shape,
  path: readonly (string | number)[],
  segment: number,
  name: string,
): Missing | undefined {
  const [key] = path;
  if (key === undefined || shape === undefined) return undefined;
  if (typeof key === "number") return missingIn(shape.items as Shape, path.slice(1), segment + 1, `${name}[${key}]`);
  const properties = shape.properties as Record<string, JsonObject> | undefined;
  if (properties !== undefined && Object.hasOwn(properties, key))
    return missingIn(properties[key], path.slice(1), segment + 1, `${name}.${key}`);
  if (shape.additionalProperties !== false) return undefined;
  const known = Object.keys(properties ?? {});
  const among = known.length === 0 ? "it has no members" : `it has ${known.join(", ")}`;
  return { segment, message: `${name} has no member ${key}; ${among}`, ...meant(key, known) };
}

function meant(name: string, known: Iterable<string>): { suggestion?: string } {
  const suggestion = nearest(name, known);
  return suggestion === undefined ? {} : { suggestion };
}
