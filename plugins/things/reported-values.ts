// What has been reported of a feature's properties: put over its initial ones when it is announced again.

import type { Json, JsonObject } from "gantry";

/** Without a value the property was deleted. */
export interface ReportedValue {
  path: string;
  value?: Json;
}

/** The values with one more: it replaces those of the same path and of all below. In order of reporting. */
export function withReported(values: ReportedValue[], reported: ReportedValue): ReportedValue[] {
  const { path } = reported;
  return [
    ...values.filter((known) => path !== "" && known.path !== path && !known.path.startsWith(`${path}/`)),
    reported,
  ];
}

/** The properties to announce; `undefined` where there are none. */
export function propertiesWith(initial: JsonObject | undefined, values: ReportedValue[]): Json | undefined {
  let properties: Json | undefined = structuredClone(initial);
  for (const { path, value } of values) properties = put(properties, namesOf(path), structuredClone(value));
  return properties;
}

const namesOf = (path: string) =>
  path === "" ? [] : path.split("/").map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));

function put(into: Json | undefined, [name, ...rest]: string[], value: Json | undefined): Json | undefined {
  if (name === undefined) return value;
  const target: JsonObject = typeof into === "object" && into !== null && !Array.isArray(into) ? into : {};
  const inner = put(Object.hasOwn(target, name) ? target[name] : undefined, rest, value);
  // Entries, not an assignment: a name may be __proto__. What was there keeps its place.
  const entries = Object.entries(target).filter(([known]) => known !== name || inner !== undefined);
  if (inner === undefined) return Object.fromEntries(entries);
  const replaced = entries.map(([known, old]) => [known, known === name ? inner : old] as const);
  return Object.fromEntries(Object.hasOwn(target, name) ? replaced : [...replaced, [name, inner] as const]);
}
