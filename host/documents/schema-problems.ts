// What ajv found, once each and in words.

import type { ErrorObject } from "ajv";
import { nearest } from "../nearest.ts";
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

export function problemsOf(errors: ErrorObject[]): SchemaProblem[] {
  const problems = new Map<string, SchemaProblem>();
  for (const problem of withoutConsequences(errors).map(problemOf)) {
    // Several keywords of one value fail together; the first one says enough.
    const key =
      problem.property === undefined ? problem.pointer : `${problem.pointer} ${problem.keyword} ${problem.property}`;
    if (!problems.has(key)) problems.set(key, problem);
  }
  // A key that is misspelt is not missing as well.
  const meant = new Set([...problems.values()].map(({ pointer, suggestion }) => `${parentOf(pointer)} ${suggestion}`));
  return [...problems.values()].filter(
    ({ keyword, pointer, property }) => keyword !== "required" || !meant.has(`${pointer} ${property}`),
  );
}

function problemOf(error: ErrorObject): SchemaProblem {
  const { instancePath: pointer, keyword, params, parentSchema, data } = error;
  if (keyword === "additionalProperties" || keyword === "unevaluatedProperties") {
    const property = (params.additionalProperty ?? params.unevaluatedProperty) as string;
    const known = Object.keys((parentSchema as { properties?: object }).properties ?? {});
    const absent = known.filter((name) => !Object.hasOwn(data as object, name));
    const suggestion = nearest(property, absent) ?? nearest(property, known);
    const names = known.filter((name) => name !== "$schema").join(", ");
    const among = names === "" ? "; nothing may stand here" : `; known are ${names}`;
    const message = `\`${property}\` is not known here${suggestion === undefined ? among : ""}`;
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
  if (keyword === "dependentRequired") {
    const { property: given, missingProperty: property } = params as { property: string; missingProperty: string };
    return { pointer, keyword: "required", property, message: `\`${property}\` is missing; \`${given}\` needs it` };
  }
  if (keyword === "propertyNames") {
    const property = params.propertyName as string;
    const words = (error as Combined).words ?? "is no name that may stand here";
    return { pointer: `${pointer}/${escapeKey(property)}`, keyword, property, message: `\`${property}\` ${words}` };
  }
  const { words, suggestion = suggestionFor(error) } = error as Combined;
  const message = words ?? expectation(error);
  return { pointer, keyword, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

function suggestionFor({ keyword, params, data }: ErrorObject): string | undefined {
  if (keyword !== "enum" || typeof data !== "string") return undefined;
  return nearest(
    data,
    (params.allowedValues as unknown[]).filter((value) => typeof value === "string"),
  );
}

interface Combined extends ErrorObject {
  words?: string;
  suggestion?: string | undefined;
}

/**
 * A failed anyOf brings along what failed in each branch. Where one branch fits the value's kind, only its own problems
 * count; where none does, one sentence says what all branches expect.
 */
function withoutConsequences(errors: ErrorObject[]): Combined[] {
  let left: Combined[] = namesTogether(errors);
  // The innermost come first in ajv's list.
  for (const combined of left.filter(({ keyword }) => keyword === "anyOf" || keyword === "oneOf")) {
    const inside = left.filter((error) => error !== combined && isInside(error, combined));
    const branches = Object.groupBy(inside, (error) => branchOf(error, combined, inside));
    const fitting = Object.values(branches).filter(
      (branch) => !branch!.some((error) => isOfKind(error) && error.instancePath === combined.instancePath),
    );
    const keep = fitting.length === 1 && Object.keys(branches).length > 1 ? fitting[0]! : [];
    const own = inside.filter(({ instancePath }) => instancePath === combined.instancePath);
    const isOnlyPattern = keep.every((error) => error.keyword === "pattern" && own.includes(error));
    if (isOnlyPattern) {
      const words = own.map((error) => expectation(error)).filter((text) => text.startsWith("must be "));
      if (words.length > 0) combined.words = `must be ${alternatives(words.map((text) => text.slice(8)))}`;
      combined.suggestion = own.map(suggestionFor).find((name) => name !== undefined);
    }
    const dropped = new Set<ErrorObject>(isOnlyPattern ? inside : inside.filter((error) => !keep.includes(error)));
    if (!isOnlyPattern) dropped.add(combined);
    left = left.filter((error) => !dropped.has(error));
  }
  return left;
}

// Of a name that may not stand there, what it must be goes into one sentence with the name.
function namesTogether(errors: ErrorObject[]): Combined[] {
  const kept = errors.filter(({ keyword, propertyName }) => keyword !== "if" && propertyName === undefined);
  return kept.map((error) => {
    if (error.keyword !== "propertyNames") return error;
    const own = errors.find(
      ({ propertyName, instancePath }) =>
        propertyName === error.params.propertyName && instancePath === error.instancePath,
    );
    return own === undefined ? error : { ...error, words: expectation(own) };
  });
}

function isOfKind({ keyword }: ErrorObject): boolean {
  return keyword === "type" || keyword === "const" || keyword === "enum";
}

function isInside(error: ErrorObject, combined: ErrorObject): boolean {
  const isBelow =
    error.instancePath === combined.instancePath || error.instancePath.startsWith(`${combined.instancePath}/`);
  return isBelow && (error.schemaPath.startsWith(`${combined.schemaPath}/`) || referenced(error, combined) >= 0);
}

// A branch that is a $ref has a schema path of its own; ajv's order still puts it before the anyOf, at or below its value.
function referenced(error: ErrorObject, combined: ErrorObject): number {
  return (combined.schema as unknown[]).findIndex(
    (branch) => referenceOf(branch) !== undefined && error.schemaPath.startsWith(`${referenceOf(branch)}/`),
  );
}

function branchOf(error: ErrorObject, combined: ErrorObject, inside: ErrorObject[]): string {
  if (error.schemaPath.startsWith(`${combined.schemaPath}/`))
    return error.schemaPath.slice(combined.schemaPath.length + 1).split("/")[0]!;
  const branch = referenced(error, combined);
  // A branch that refuses the value's kind does not look into it: what is deeper comes from another one.
  const isElsewhere =
    error.instancePath !== combined.instancePath &&
    inside.some(
      (other) =>
        other.instancePath === combined.instancePath && isOfKind(other) && referenced(other, combined) === branch,
    );
  return isElsewhere ? "another" : String(branch);
}

function referenceOf(branch: unknown): string | undefined {
  return (branch as { $ref?: string } | undefined)?.$ref;
}

function parentOf(pointer: string): string {
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf("/")));
}

function escapeKey(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
