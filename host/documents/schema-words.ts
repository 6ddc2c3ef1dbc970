// What a schema expects, in words a person understands.

import type { ErrorObject } from "ajv";
import { isObject } from "../is-object.ts";

const kinds: Record<string, string> = {
  string: "a text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  null: "null",
};

const formats: Record<string, string> = {
  "gantry-duration": "a duration with a unit, such as 300ms, 5s or 1h30m",
  "gantry-cron": 'a cron expression of five fields, or six with seconds, such as "30 3 * * mon"',
  "gantry-timezone": "a time zone such as Europe/Berlin",
  uri: "a URL",
  regex: "a regular expression",
  "uri-reference": "a URL or a part of one",
  "date-time": "a time such as 2026-01-31T12:00:00Z",
};

// Patterns of our own schemas whose members are described for another purpose.
const names: Record<string, string> = {
  "^[A-Za-z][A-Za-z0-9_-]*$": "a name of letters, digits, _ and - that begins with a letter",
  "^[a-z][a-z0-9-]*$": "a name of small letters, digits and - that begins with a letter",
  "^[A-Z][A-Z0-9_]*$": "a name of capital letters, digits and _ that begins with a letter",
};

export function inWords(types: readonly string[]): string {
  return alternatives(types.map((kind) => kinds[kind] ?? kind));
}

/** What one failed keyword expects: the end of "must be ...", or a sentence part of its own. */
export function expectation({ keyword, params, parentSchema, data }: ErrorObject): string {
  switch (keyword) {
    case "type":
      if (isPatterned(parentSchema)) return `must be ${describePattern(parentSchema.pattern, parentSchema)}`;
      if (hasFormat(parentSchema)) return `must be ${formats[parentSchema.format]}`;
      if (params.type === "array" && isObject(data)) return "must be a list: put [ ] around what stands here";
      return `must be ${inWords([params.type].flat())}${params.type === "object" ? membersOf(parentSchema) : ""}`;
    case "enum":
      return `must be ${alternatives((params.allowedValues as unknown[]).map((value) => JSON.stringify(value)))}`;
    case "const":
      return `must be ${JSON.stringify(params.allowedValue)}`;
    case "pattern":
      return `must be ${describePattern(params.pattern as string, parentSchema as { description?: string } | undefined)}`;
    case "format":
      return `must be ${formats[params.format as string] ?? `a ${params.format}`}`;
    case "minimum":
      return `must be at least ${params.limit}`;
    case "maximum":
      return `must be at most ${params.limit}`;
    case "exclusiveMinimum":
      return `must be above ${params.limit}`;
    case "exclusiveMaximum":
      return `must be below ${params.limit}`;
    case "minLength":
      return params.limit === 1 ? "must not be empty" : `must have at least ${params.limit} characters`;
    case "maxLength":
      return `must have at most ${params.limit} characters`;
    case "minItems":
      return params.limit === 1 ? "must have at least one item" : `must have at least ${params.limit} items`;
    case "maxItems":
      return `must have at most ${params.limit} items`;
    case "minProperties":
      return params.limit === 1 ? "must have at least one member" : `must have at least ${params.limit} members`;
    case "multipleOf":
      return `must be a multiple of ${params.multipleOf}`;
    case "maxProperties":
      return `must have at most ${params.limit} members`;
    case "not":
      return "is just what is not allowed here";
    case "uniqueItems":
      return `must not have the same item twice (${params.j} and ${params.i})`;
    case "false schema":
      return "is not allowed here";
    default:
      return `does not match the schema (${keyword})`;
  }
}

// What belongs into an object, where that is said in a few words.
function membersOf(schema: unknown): string {
  const { properties = {} } = (schema ?? {}) as { properties?: object };
  const names = Object.keys(properties).map((name) => `\`${name}\``);
  return names.length === 0 || names.length > 6 ? "" : ` with ${alternatives(names, "and")}`;
}

export function alternatives(words: string[], before = "or"): string {
  const unique = [...new Set(words)];
  return unique.length < 2 ? (unique[0] ?? "") : `${unique.slice(0, -1).join(", ")} ${before} ${unique.at(-1)}`;
}

// Of a number where a duration belongs, "a text" would say too little.
function isPatterned(schema: unknown): schema is { pattern: string; description: string } {
  const { pattern, description } = (schema ?? {}) as { pattern?: unknown; description?: unknown };
  return typeof pattern === "string" && typeof description === "string";
}

// Of a number where a duration belongs, neither.
function hasFormat(schema: unknown): schema is { format: string } {
  const { type, format } = (schema ?? {}) as { type?: unknown; format?: unknown };
  return type === "string" && typeof format === "string" && Object.hasOwn(formats, format);
}

// A pattern's description says what it is for; without one the pattern itself must do.
function describePattern(pattern: string, schema: { description?: string } | undefined): string {
  const { description } = schema ?? {};
  if (Object.hasOwn(names, pattern)) return names[pattern]!;
  if (description === undefined) return `a text that matches ${pattern}`;
  // A word in capitals, such as HH:MM, stays as it is.
  const first = /^\p{Lu}\p{Lu}/u.test(description) ? description[0]! : description[0]!.toLowerCase();
  return `${first}${description.slice(1).replace(/\.$/, "")}`;
}
