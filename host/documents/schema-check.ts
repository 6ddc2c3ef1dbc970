// Values against JSON Schemas (2020-12): what does not match, once each and in words.

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormatsModule from "ajv-formats";
import { parseDuration } from "../duration.ts";
import type { JsonObject } from "../sdk.ts";
import { type Document, faultAt } from "./document.ts";
import type { Fault } from "./fault.ts";
import { problemsOf, type SchemaProblem } from "./schema-problems.ts";

export type { SchemaProblem };

// CommonJS under a bundler and under Node differ in where the default is.
const addFormats = ((addFormatsModule as { default?: unknown }).default ?? addFormatsModule) as (ajv: Ajv2020) => void;

const validators = { plain: create(false), filling: create(true) };

function create(useDefaults: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: false,
    useDefaults,
    logger: false,
    addUsedSchema: false,
  });
  addFormats(ajv);
  ajv.addFormat("gantry-duration", (text) => parseDuration(text) !== undefined);
  return ajv;
}

/**
 * A check for values; with `defaults` it fills in the schema's, in place. Throws for a schema that is none; see
 * `schemaProblems`.
 */
export function compileSchema(
  schema: JsonObject,
  options: { defaults?: boolean } = {},
): (value: unknown) => SchemaProblem[] {
  // A copy without its $id, so that one schema may be compiled twice.
  const { $id: _, ...own } = schema;
  const validate = (options.defaults ? validators.filling : validators.plain).compile(own) as ValidateFunction;
  return (value) => (validate(value) ? [] : problemsOf(validate.errors ?? []));
}

/** Whether a schema follows the schema of schemas. */
export function metaProblems(schema: JsonObject): SchemaProblem[] {
  return validators.plain.validateSchema(schema) === false ? problemsOf(validators.plain.errors ?? []) : [];
}

/** The problems as faults of the document whose value was checked; their pointers are those of the document. */
export function schemaFaults(document: Document, problems: SchemaProblem[]): Fault[] {
  return problems.map(({ pointer, keyword, message, property, suggestion }) => {
    const more = suggestion === undefined ? {} : { suggestion };
    if (keyword === "required") return faultAt(document, pointer, { code: "KEY_MISSING", message, where: "object" });
    if (property !== undefined)
      return faultAt(document, pointer, { code: "KEY_UNKNOWN", message, where: "key", ...more });
    const name = pointer.slice(pointer.lastIndexOf("/") + 1);
    const subject = pointer === "" ? "the document" : /^\d+$/.test(name) ? "this item" : `\`${name}\``;
    return faultAt(document, pointer, { code: "VALUE_WRONG", message: `${subject} ${message}`, ...more });
  });
}
