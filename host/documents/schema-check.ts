// Values against JSON Schemas (2020-12): what does not match, once each and in words.

import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import addFormatsModule from "ajv-formats";
import { parseDuration } from "../duration.ts";
import { nearest } from "../nearest.ts";
import type { JsonObject } from "../sdk.ts";
import { type Document, faultAt } from "./document.ts";
import type { Fault } from "./fault.ts";
import { alternatives, expectation } from "./schema-words.ts";

export interface SchemaProblem {
  /** Of the value that is wrong, of the unknown member, or of the object that lacks one. */
  pointer: string;
  keyword: string;
  /** What was expected: goes on from the name of the value ("must be a text"). */
  message: string;
  /** The unknown or missing key. */
  property?: string;
  suggestion?: string;
}

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

/** What is wrong with a schema itself. */
export function schemaProblems(schema: unknown): SchemaProblem[] {
  if (validators.plain.validateSchema(schema as JsonObject) === false)
    return problemsOf(validators.plain.errors ?? []).slice(0, 1);
  try {
    compileSchema(schema as JsonObject);
    return [];
  } catch (error) {
    return [{ pointer: "", keyword: "schema", message: `is no usable JSON Schema: ${(error as Error).message}` }];
  }
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

function problemsOf(errors: ErrorObject[]): SchemaProblem[] {
  const problems = new Map<string, SchemaProblem>();
  for (const problem of withoutConsequences(errors).map(problemOf)) {
    // Several keywords of one value fail together; the first one says enough.
    const key =
      problem.property === undefined ? problem.pointer : `${problem.pointer} ${problem.keyword} ${problem.property}`;
    if (!problems.has(key)) problems.set(key, problem);
  }
  return [...problems.values()];
}

function problemOf(error: ErrorObject): SchemaProblem {
  const { instancePath: pointer, keyword, params, parentSchema, data } = error;
  if (keyword === "additionalProperties" || keyword === "unevaluatedProperties") {
    const property = (params.additionalProperty ?? params.unevaluatedProperty) as string;
    const known = Object.keys((parentSchema as { properties?: object }).properties ?? {});
    const suggestion = nearest(property, known);
    const among =
      known.length === 0
        ? "nothing may stand here"
        : `known are ${known.filter((name) => name !== "$schema").join(", ")}`;
    const message = `\`${property}\` is not known here; ${among}`;
    return {
      pointer: `${pointer}/${escapeKey(property)}`,
      keyword,
      property,
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    };
  }
  if (keyword === "required") {
    const property = params.missingProperty as string;
    return { pointer, keyword, property, message: `\`${property}\` is missing` };
  }
  if (keyword === "propertyNames") {
    const property = params.propertyName as string;
    return {
      pointer: `${pointer}/${escapeKey(property)}`,
      keyword,
      property,
      message: `\`${property}\` is no name that may stand here`,
    };
  }
  if (keyword === "anyOf" || keyword === "oneOf")
    return { pointer, keyword, message: (error as Combined).words ?? expectation(error) };
  const suggestion =
    keyword === "enum" && typeof data === "string"
      ? nearest(
          data,
          (params.allowedValues as unknown[]).filter((value) => typeof value === "string"),
        )
      : undefined;
  return { pointer, keyword, message: expectation(error), ...(suggestion === undefined ? {} : { suggestion }) };
}

interface Combined extends ErrorObject {
  words?: string;
}

/**
 * A failed anyOf brings along what failed in each branch. Where one branch fits the value's kind, only its own problems
 * count; where none does, one sentence says what all branches expect.
 */
function withoutConsequences(errors: ErrorObject[]): Combined[] {
  let left: Combined[] = errors.filter(
    ({ keyword, propertyName }) => keyword !== "if" && !(propertyName !== undefined && keyword !== "propertyNames"),
  );
  // The innermost come first in ajv's list.
  for (const combined of left.filter(({ keyword }) => keyword === "anyOf" || keyword === "oneOf")) {
    const branches = new Map<string, Combined[]>();
    for (const error of left) {
      if (
        error === combined ||
        (!error.schemaPath.startsWith(`${combined.schemaPath}/`) && !isInBranch(error, combined))
      )
        continue;
      const branch = branchOf(error, combined);
      branches.set(branch, [...(branches.get(branch) ?? []), error]);
    }
    const inside = new Set([...branches.values()].flat());
    const fitting = [...branches.values()].filter(
      (branch) =>
        !branch.some(
          (error) => error.instancePath === combined.instancePath && ["type", "const", "enum"].includes(error.keyword),
        ),
    );
    const [only] = fitting;
    const keep = fitting.length === 1 && branches.size > 1 ? only! : undefined;
    if (keep === undefined) {
      const own = [...inside].filter(({ instancePath }) => instancePath === combined.instancePath);
      const words = own
        .map((error) => expectation(error))
        .filter((text) => text.startsWith("must be "))
        .map((text) => text.slice(8));
      if (words.length > 0) combined.words = `must be ${alternatives(words)}`;
    }
    left = left.filter((error) =>
      error === combined ? keep === undefined : !inside.has(error) || keep?.includes(error),
    );
  }
  return left;
}

// A branch that is a $ref has a schema path of its own; ajv's order still puts it before the anyOf, at or below its value.
function isInBranch(error: ErrorObject, combined: ErrorObject): boolean {
  const branches = combined.schema as unknown[];
  return (
    error.instancePath.startsWith(combined.instancePath) &&
    branches.some(
      (branch) => referenceOf(branch) !== undefined && error.schemaPath.startsWith(`${referenceOf(branch)}/`),
    )
  );
}

function branchOf(error: ErrorObject, combined: ErrorObject): string {
  if (error.schemaPath.startsWith(`${combined.schemaPath}/`))
    return error.schemaPath.slice(combined.schemaPath.length + 1).split("/")[0]!;
  return String(
    (combined.schema as unknown[]).findIndex(
      (branch) => referenceOf(branch) !== undefined && error.schemaPath.startsWith(`${referenceOf(branch)}/`),
    ),
  );
}

function referenceOf(branch: unknown): string | undefined {
  return (branch as { $ref?: string } | undefined)?.$ref;
}

function escapeKey(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
