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
  /** Whether a fault of shape may have taken away a context, or the id of a step: then any name may be right. */
  anyContext?: boolean;
  anyStep?: boolean;
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
    if (visible.later.has(String(id))) return { segment: 1, message: `step ${id} has not run at this place` };
    if (visible.anyStep === true) return undefined;
    const message = `no step called ${id} is visible here`;
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
  const inner = innerShape(shape, key);
  if (inner !== "missing") {
    const member = typeof key === "number" ? `${name}[${key}]` : `${name}.${key}`;
    return missingIn(inner, path.slice(1), segment + 1, member);
  }
  const known = Object.keys(shape.properties ?? {});
  const among = known.length === 0 ? "it has no members" : `it has ${known.join(", ")}`;
  return { segment, message: `${name} has no member ${key}; ${among}`, ...meant(String(key), known) };
}

/** What is known of the items of the list at a path. */
export function itemShape(path: readonly (string | number)[], visible: Visible): Shape {
  const [context, id, member, ...rest] = path;
  const start =
    context === "steps"
      ? { shape: member === "outputs" ? visible.steps.get(String(id)) : undefined, inner: rest }
      : { shape: visible.contexts.get(String(context)), inner: path.slice(1) };
  let { shape } = start;
  for (const key of start.inner) {
    const inner = shape === undefined ? undefined : innerShape(shape, key);
    shape = inner === "missing" ? undefined : inner;
  }
  const items = shape === undefined ? undefined : innerShape(shape, 0);
  return items === "missing" ? undefined : items;
}

function innerShape(shape: JsonObject, key: string | number): Shape | "missing" {
  const { properties = {}, patternProperties = {}, additionalProperties, prefixItems, items } = shape;
  // Which of these holds shows only in the value.
  if (typeof key === "number") return prefixItems === undefined ? shapeOf(items) : undefined;
  if (Object.hasOwn(properties as JsonObject, key)) return shapeOf((properties as JsonObject)[key]);
  if (Object.keys(patternProperties as JsonObject).some((pattern) => new RegExp(pattern, "u").test(key)))
    return undefined;
  return additionalProperties === false ? "missing" : shapeOf(additionalProperties);
}

// A schema may be true or false, which says nothing of members.
function shapeOf(schema: Json | undefined): Shape {
  return typeof schema === "object" && schema !== null ? (schema as JsonObject) : undefined;
}

function meant(name: string, known: Iterable<string>): { suggestion?: string } {
  const suggestion = nearest(name, known);
  return suggestion === undefined ? {} : { suggestion };
}
