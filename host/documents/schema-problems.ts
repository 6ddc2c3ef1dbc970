// What ajv found, once each and in words.

import type { ErrorObject } from "ajv";
import type { Json } from "../sdk.ts";
import { unmarkedExpression } from "./habits.ts";
import { pairUp } from "./paired-keys.ts";
import { parentOf, pointerTo } from "./pointer.ts";
import { alternatives, expectation } from "./schema-words.ts";
import { type Kind, kindOf, listed, meant } from "./shapes.ts";

export interface SchemaProblem {
  /** Of the value that is wrong, of the unknown member, or of the object that lacks one. */
  pointer: string;
  keyword: string;
  /** What was expected: goes on from the name of the value ("must be a text"). */
  message: string;
  /** The unknown or missing key. */
  property?: string;
  /** Whether it is no slip but a word of another system: its value is judged by the one it stands for, if that fits. */
  isHabit?: boolean;
  /** The keys of which just one must be given. */
  choice?: string[];
  suggestion?: string;
  /** Of a value that is none of a few: the kinds these are of. */
  kinds?: Kind[];
}

export function problemsOf(errors: ErrorObject[]): SchemaProblem[] {
  const problems = new Map<string, SchemaProblem>();
  for (const problem of withoutConsequences(errors).map(problemOf)) {
    // Several keywords of one value fail together; the first one says enough.
    const key =
      problem.property === undefined ? problem.pointer : `${problem.pointer} ${problem.keyword} ${problem.property}`;
    if (!problems.has(key)) problems.set(key, problem);
  }
  pairUp([...problems.values()], errors);
  // A key that is misspelt is not missing as well.
  const meant = new Set([...problems.values()].map(({ pointer, suggestion }) => `${parentOf(pointer)} ${suggestion}`));
  const strangers = new Set(
    [...problems.values()].flatMap(({ keyword, pointer, property }) =>
      property === undefined || keyword === "required" ? [] : [parentOf(pointer)],
    ),
  );
  return [...problems.values()].filter(({ keyword, pointer, property, choice }) => {
    if (keyword !== "required") return true;
    // Of what may be chosen from, the unknown key tells as well.
    if (choice !== undefined && strangers.has(pointer)) return false;
    return !(choice ?? [property]).some((name) => meant.has(`${pointer} ${name}`));
  });
}

function problemOf(error: ErrorObject): SchemaProblem {
  const { instancePath: pointer, keyword, params, parentSchema, data } = error;
  if (keyword === "additionalProperties" || keyword === "unevaluatedProperties") {
    const property = (params.additionalProperty ?? params.unevaluatedProperty) as string;
    const known = Object.keys((parentSchema as { properties?: object }).properties ?? {});
    const absent = known.filter((name) => !Object.hasOwn(data as object, name));
    const { suggestion } = { ...meant(property, known), ...meant(property, absent) } as { suggestion?: string };
    const names = listed(known.filter((name) => name !== "$schema"));
    const among = names === "" ? "; nothing may stand here" : `; what may stand here: ${names}`;
    const message = `\`${property}\` is not known here${suggestion === undefined ? among : ""}`;
    return {
      pointer: `${pointer}${pointerTo([property])}`,
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
    return { pointer: `${pointer}${pointerTo([property])}`, keyword, property, message: `\`${property}\` ${words}` };
  }
  const choice = choiceOf(error);
  if (choice !== undefined) {
    const given = choice.filter((name) => Object.hasOwn(data as object, name));
    const names = (list: string[], word: string) =>
      alternatives(
        list.map((name) => `\`${name}\``),
        word,
      );
    return given.length === 0
      ? { pointer, keyword: "required", choice, message: `${names(choice, "or")} is missing` }
      : { pointer, keyword: "maxProperties", message: `must not have ${names(given, "and")} together` };
  }
  const { words, suggestion = suggestionFor(error) } = error as Combined;
  const message = words ?? expectation(error);
  const choices = keyword === "enum" ? params.allowedValues : keyword === "const" ? [params.allowedValue] : undefined;
  const kinds = choices === undefined ? {} : { kinds: (choices as Json[]).map(kindOf) };
  return { pointer, keyword, message, ...(suggestion === undefined ? {} : { suggestion }), ...kinds };
}

// `oneOf` whose branches each require one key and nothing else.
function choiceOf({ keyword, schema }: ErrorObject): string[] | undefined {
  if (keyword !== "oneOf") return undefined;
  const names = (schema as { required?: unknown[] }[]).map((branch) =>
    Object.keys(branch).length === 1 && branch.required?.length === 1 ? branch.required[0] : undefined,
  );
  return names.every((name) => typeof name === "string") ? names : undefined;
}

function suggestionFor({ keyword, params, data }: ErrorObject): string | undefined {
  if (typeof data !== "string") return undefined;
  const unmarked = unmarkedExpression(data);
  if (unmarked !== undefined) return unmarked;
  if (keyword !== "enum") return undefined;
  const known = (params.allowedValues as unknown[]).filter((value) => typeof value === "string");
  return meant(data, known).suggestion;
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
  const left: Combined[] = [];
  for (const error of namesTogether(errors)) {
    // What failed in the branches stands before it in ajv's list, and what failed in theirs before that.
    if (error.keyword === "anyOf" || error.keyword === "oneOf") left.push(...fromBranches(error, below(left, error)));
    else left.push(error);
  }
  return left;
}

/** Takes the last errors out of the list, as long as they are at or below the value of this one. */
function below(errors: Combined[], { instancePath }: ErrorObject): Combined[] {
  let first = errors.length;
  while (first > 0 && isAtOrBelow(errors[first - 1]!, instancePath)) first -= 1;
  return errors.splice(first);
}

/** What remains of a failed anyOf and of the errors before it. */
function fromBranches(combined: Combined, before: Combined[]): Combined[] {
  const inside = before.filter((error) => isInside(error, combined));
  const refusing = new Set(
    inside.filter((error) => isOfKind(error, combined)).map((error) => branchOf(error, combined)),
  );
  // A branch that refuses the value's kind does not look into it: what is deeper comes from another one.
  const branches = Object.groupBy(inside, (error) => {
    const branch = branchOf(error, combined);
    return refusing.has(branch) && error.instancePath !== combined.instancePath ? "another" : branch;
  });
  const fitting = Object.values(branches).filter((branch) => !branch!.some((error) => isOfKind(error, combined)));
  const keep = new Set(fitting.length === 1 && Object.keys(branches).length > 1 ? fitting[0]! : []);
  const own = inside.filter(({ instancePath }) => instancePath === combined.instancePath);
  const isOnlyPattern = [...keep].every((error) => error.keyword === "pattern" && own.includes(error));
  const others = new Set(inside);
  if (!isOnlyPattern) return before.filter((error) => !others.has(error) || keep.has(error));
  const words = own.map((error) => expectation(error)).filter((text) => text.startsWith("must be "));
  if (words.length > 0) combined.words = `must be ${alternatives(words.map((text) => text.slice(8)))}`;
  combined.suggestion = own.map(suggestionFor).find((name) => name !== undefined);
  return [...before.filter((error) => !others.has(error)), combined];
}

// Of a name that may not stand there, what it must be goes into one sentence with the name.
function namesTogether(errors: ErrorObject[]): Combined[] {
  const kept = errors.filter(({ keyword, propertyName }) => keyword !== "if" && propertyName === undefined);
  const ofNames = new Map<string, ErrorObject>();
  for (const error of errors.toReversed())
    if (error.propertyName !== undefined) ofNames.set(`${error.instancePath} ${error.propertyName}`, error);
  return kept.map((error) => {
    if (error.keyword !== "propertyNames") return error;
    const own = ofNames.get(`${error.instancePath} ${error.params.propertyName}`);
    return own === undefined ? error : { ...error, words: expectation(own) };
  });
}

/** Whether a branch refuses the very value, and not something in it. */
function isOfKind({ keyword, instancePath }: ErrorObject, combined: ErrorObject): boolean {
  return instancePath === combined.instancePath && ["type", "const", "enum"].includes(keyword);
}

function isInside(error: ErrorObject, combined: ErrorObject): boolean {
  return error.schemaPath.startsWith(`${combined.schemaPath}/`) || referenced(error, combined) >= 0;
}

function isAtOrBelow({ instancePath }: ErrorObject, path: string): boolean {
  return instancePath === path || instancePath.startsWith(`${path}/`);
}

// A branch that is a $ref has a schema path of its own; ajv's order still puts it before the anyOf, at or below its value.
function referenced(error: ErrorObject, combined: ErrorObject): number {
  return (combined.schema as unknown[]).findIndex(
    (branch) => referenceOf(branch) !== undefined && error.schemaPath.startsWith(`${referenceOf(branch)}/`),
  );
}

function branchOf(error: ErrorObject, combined: ErrorObject): string {
  if (error.schemaPath.startsWith(`${combined.schemaPath}/`))
    return error.schemaPath.slice(combined.schemaPath.length + 1).split("/")[0]!;
  return String(referenced(error, combined));
}

function referenceOf(branch: unknown): string | undefined {
  return (branch as { $ref?: string } | undefined)?.$ref;
}
