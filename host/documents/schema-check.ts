// Values against JSON Schemas (2020-12): what does not match, once each and in words.

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormatsModule from "ajv-formats";
import { isCron, isTimezone } from "../cron.ts";
import { parseDuration } from "../duration.ts";
import type { JsonObject } from "../sdk.ts";
import { bounded } from "./bounded.ts";
import { type Document, type FaultOptions, faultAt } from "./document.ts";
import type { Fault } from "./fault.ts";
import { problemsOf, type SchemaProblem } from "./schema-problems.ts";
import { synchronous } from "./synchronous-schema.ts";

export type { SchemaProblem };

// CommonJS under a bundler and under Node differ in where the default is.
const addFormats = ((addFormatsModule as { default?: unknown }).default ?? addFormatsModule) as (ajv: Ajv2020) => void;

const validators = { plain: create(false, true), filling: create(true, true) };
/** Those that stop at the first problem; made at first use. */
const hasty: { plain?: Ajv2020; filling?: Ajv2020 } = {};

// Whether a schema follows the schema of schemas is asked where documents are checked (`metaProblems`), so that a start
// with known schemas does without it.
function create(useDefaults: boolean, allErrors: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors,
    verbose: true,
    strict: false,
    useDefaults,
    logger: false,
    validateSchema: false,
  });
  addFormats(ajv);
  ajv.addFormat("gantry-duration", (text) => parseDuration(text) !== undefined);
  ajv.addFormat("gantry-cron", isCron);
  ajv.addFormat("gantry-timezone", isTimezone);
  return ajv;
}

const metaSchema = "https://json-schema.org/draft/2020-12/schema";
const known = new Set(Object.keys(validators.plain.refs));

/**
 * A check for values; with `defaults` it fills in the schema's, in place. Throws for a schema that cannot be used; see
 * `schemaIsSound`.
 */
export function compileSchema(schema: JsonObject, options: { defaults?: boolean } = {}): Check {
  return compileWith(options.defaults ? validators.filling : validators.plain, schema);
}

type Check = (value: unknown) => SchemaProblem[];

function compileWith(ajv: Ajv2020, schema: JsonObject): Check {
  // What a schema is written for is the business of editors.
  const { $schema: _, ...own } = synchronous(schema) as JsonObject;
  try {
    const validate = ajv.compile(own) as ValidateFunction;
    return (value) => (validate(value) ? [] : problemsOf(validate.errors ?? []));
  } finally {
    forget(ajv, own);
  }
}

/** Of values with more than so many members and items not each problem is looked for. */
const manyPlaces = 5000;

/**
 * The same for values that may come from anybody: one that is wrong in a million places must not cost a million problems,
 * so of a large one only the first is told. With `counts`, others are as if they were none. It is compiled at first use.
 */
export function compileForValues(
  schema: JsonObject,
  options: { defaults?: boolean } = {},
): (value: unknown, counts?: (problem: SchemaProblem) => boolean) => SchemaProblem[] {
  const kind = options.defaults ? "filling" : "plain";
  let all: Check | undefined;
  let first: Check | undefined;
  return (value, counts = () => true) => {
    if (hasMorePlaces(value, manyPlaces)) {
      hasty[kind] ??= create(kind === "filling", false);
      first ??= compileWith(hasty[kind], schema);
      const found = first(value);
      if (found.length === 0 || found.some(counts)) return found.filter(counts);
    }
    all ??= compileSchema(schema, options);
    return all(value).filter(counts);
  };
}

function hasMorePlaces(value: unknown, most: number): boolean {
  let left = most;
  const inner = [value];
  while (inner.length > 0) {
    const one = inner.pop();
    if (typeof one !== "object" || one === null) continue;
    const members = Object.values(one);
    left -= members.length;
    if (left < 0) return true;
    for (const member of members) if (typeof member === "object") inner.push(member);
  }
  return false;
}

/** How long a schema that is not Gantry's own may keep the host from everything else; what it finds piles up meanwhile. */
const patienceMs = 500;

/** The same for a schema that is not Gantry's own: what takes too long is a problem, too. */
export function compileForeign(...given: Parameters<typeof compileSchema>): Check {
  const check = compileForValues(...given);
  return (value) => bounded(() => check(value), patienceMs)?.value ?? [tooSlow];
}

const tooSlow: SchemaProblem = {
  pointer: "",
  keyword: "schema",
  message: `cannot be held against its schema within ${patienceMs} ms`,
};

/**
 * The same, or undefined for a schema that is none: that is a fault where it stands, and none where it is used. One that is
 * not `trusted` is watched as by `compileForeign`.
 */
export function compileSound(
  schema: JsonObject,
  { trusted = true, ...options }: { defaults?: boolean; trusted?: boolean } = {},
): Check | undefined {
  try {
    const check = compileSchema(schema, options);
    return trusted ? check : compileForeign(schema, options);
  } catch {
    return undefined;
  }
}

// Each schema stands alone: its names mean nothing to the next one, which may be the same once more.
function forget(ajv: Ajv2020, schema: JsonObject): void {
  ajv.removeSchema(schema);
  for (const name of Object.keys(ajv.refs)) if (!known.has(name)) delete ajv.refs[name];
}

/** Whether a schema follows the schema of schemas. */
export function metaProblems({ $schema, ...schema }: JsonObject): SchemaProblem[] {
  const problems = validators.plain.validate(metaSchema, schema) ? [] : problemsOf(validators.plain.errors ?? []);
  if ($schema === undefined || typeof $schema === "string") return problems;
  return [{ pointer: "/$schema", keyword: "type", message: "must be a text" }, ...problems];
}

/** The problems as faults of the document whose value was checked; their pointers are those of the document. */
export function schemaFaults(document: Document, problems: SchemaProblem[]): Fault[] {
  return problems.map((problem) => faultAt(document, problem.pointer, faultOptions(problem)));
}

export function faultOptions({ pointer, keyword, message, property, suggestion }: SchemaProblem): FaultOptions {
  const more = suggestion === undefined ? {} : { suggestion };
  if (keyword === "required") return { code: "KEY_MISSING", message, where: "object" };
  if (property !== undefined) return { code: "KEY_UNKNOWN", message, where: "key", ...more };
  const name = pointer.slice(pointer.lastIndexOf("/") + 1);
  const subject = pointer === "" ? "the document" : /^\d+$/.test(name) ? "this item" : `\`${name}\``;
  return { code: "VALUE_WRONG", message: `${subject} ${message}`, ...more };
}
