// `with`, held against the schema of its step, trigger or workflow, as far as its values are known beforehand.

import { hasExpression, parseText } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { VerbCatalogue } from "./catalogue.ts";
import { holdsExpression } from "./check-expressions.ts";
import { ofCalls } from "./check-form.ts";
import type { Checking } from "./checking.ts";
import { kindsOfWhole } from "./expression-kinds.ts";
import { parsePointer, pointerTo } from "./pointer.ts";
import { compileForeign, type compileSchema, compileSound, faultOptions, type SchemaProblem } from "./schema-check.ts";
import { inWords } from "./schema-words.ts";
import { type Kind, memberNames, type Shape } from "./shapes.ts";
import type { Visible } from "./visible.ts";

interface Taken {
  schema: Shape;
  /** Whether the schema need not be watched. */
  trusted: boolean;
}

/** `place` is the pointer of the object that has, or lacks, `with`; `taken` is what may stand there. */
export function checkWith(checking: Checking, place: string, value: unknown, taken: Taken, visible: Visible): void {
  const check = taken.schema === undefined ? undefined : checkOf(taken.schema, taken.trusted);
  if (check === undefined) return;
  const given = (value ?? {}) as Json;
  const base = value === undefined ? place : `${place}/with`;
  for (const problem of knownProblems(given, check, visible)) {
    const pointer = base + problem.pointer;
    checking.report(pointer, faultOptions({ ...besideWith(problem), pointer }));
  }
}

/** A member of the step that stands in its `with`. */
function besideWith(problem: SchemaProblem): SchemaProblem {
  const { pointer, property, suggestion } = problem;
  if (property === undefined || suggestion !== undefined || pointer !== pointerTo([property])) return problem;
  if (!ofCalls.includes(property)) return problem;
  return { ...problem, message: `\`${property}\` is no input: it belongs to the step, beside \`with\`` };
}

/** An input of the step that stands beside its `with`. */
export function inputBesideWith(problem: SchemaProblem, root: Json, { steps }: VerbCatalogue): SchemaProblem {
  const { pointer, property } = problem;
  const path = parsePointer(pointer);
  if (property === undefined || path.at(-1) !== property) return problem;
  const step = path
    .slice(0, -1)
    .reduce<Json | undefined>((inner, key) => (inner as JsonObject | undefined)?.[key], root);
  const uses = (step as JsonObject | undefined)?.uses;
  const input = typeof uses === "string" ? steps.get(uses)?.input : undefined;
  if (input === undefined || !memberNames(input).includes(property)) return problem;
  const { suggestion: _, isHabit: __, ...plain } = problem;
  return { ...plain, message: `\`${property}\` is an input of ${uses} and belongs into \`with\`` };
}

/** A text with an expression, the kinds of value it may give, and how many of them have been tried in its place. */
interface Open {
  parent: JsonObject;
  key: string;
  text: string;
  kinds: Kind[];
  tried: number;
}

/**
 * What an expression gives shows only in the run, and is checked then. Where its kind is known beforehand, a value of
 * that kind stands in for it: only when none of its kinds fits, it is a problem.
 */
function knownProblems(written: Json, check: Check, visible: Visible): SchemaProblem[] {
  // Defaults are filled in, as they are for the run.
  const root = { value: structuredClone(written) };
  if (!holdsExpression(written)) return check(root.value);
  const open = new Map<string, Open>();
  collectOpen(root, "value", "", visible, open);
  const unfit: SchemaProblem[] = [];
  for (;;) {
    const problems = check(root.value);
    const refused = problems.filter((problem) => refusesKind(problem, open.get(problem.pointer)));
    for (const problem of refused) {
      const leaf = open.get(problem.pointer)!;
      if (tryNext(leaf)) continue;
      const gives = `${problem.message}, and what stands here gives ${inWords(leaf.kinds)}`;
      unfit.push({ ...problem, message: gives });
      open.delete(problem.pointer);
    }
    if (refused.length === 0) return [...unfit, ...problems.filter((problem) => !isOpen(problem, root.value, open))];
  }
}

function collectOpen(
  parent: JsonObject,
  key: string,
  pointer: string,
  visible: Visible,
  open: Map<string, Open>,
): void {
  const value = parent[key]!;
  if (typeof value === "string" && hasExpression(value)) {
    const parsed = parseText(value);
    const kinds = parsed.whole ? kindsOfWhole(parsed, visible) : parsed.faults.length === 0 ? ["string" as const] : [];
    if (kinds === undefined || kinds.length === 0) return;
    const leaf = { parent, key, text: value, kinds, tried: 0 };
    open.set(pointer, leaf);
    tryNext(leaf);
  } else if (typeof value === "object" && value !== null)
    for (const inner of Object.keys(value))
      collectOpen(value as JsonObject, inner, pointer + pointerTo([inner]), visible, open);
}

function refusesKind({ keyword, kinds }: SchemaProblem, leaf: Open | undefined): boolean {
  if (leaf === undefined) return false;
  if (keyword === "type") return true;
  const given = leaf.kinds[leaf.tried - 1]!;
  return kinds !== undefined && !kinds.some((kind) => kind === given || (isNumber(kind) && isNumber(given)));
}

const isNumber = (kind: Kind) => kind === "integer" || kind === "number";

/** Puts a value of the next kind in its place; false, and the text itself, when all have been tried. */
function tryNext(leaf: Open): boolean {
  const next = leaf.kinds[leaf.tried];
  leaf.tried += 1;
  leaf.parent[leaf.key] = next === undefined ? leaf.text : standIn(next, leaf.text);
  return next !== undefined;
}

function standIn(kind: Kind, text: string): Json {
  if (kind === "string") return text;
  if (kind === "array") return [];
  if (kind === "object") return {};
  return kind === "null" ? null : kind === "boolean" ? true : 1;
}

/** Whether a problem is one of a value that only the run shows. */
function isOpen({ pointer, keyword, property }: SchemaProblem, given: Json, open: ReadonlyMap<string, Open>): boolean {
  const isUnknownKey = property !== undefined && keyword !== "required";
  // Whatever its value will be.
  if (isUnknownKey) return open.has(pointer.slice(0, pointer.lastIndexOf("/")));
  if (open.has(pointer)) return true;
  if (property !== undefined) return open.has(pointer.slice(0, pointer.lastIndexOf("/")));
  const value = parsePointer(pointer).reduce<Json | undefined>(
    (inner, key) => (inner as JsonObject | undefined)?.[key],
    given,
  );
  if (typeof value === "string" && hasExpression(value)) return true;
  return (keyword === "anyOf" || keyword === "oneOf") && (holdsExpression(value) || holdsOpen(pointer, open));
}

function holdsOpen(pointer: string, open: ReadonlyMap<string, Open>): boolean {
  return [...open.keys()].some((inner) => inner.startsWith(`${pointer}/`));
}

type Check = ReturnType<typeof compileSchema>;

function soundCheck(schema: JsonObject, trusted: boolean): Check | undefined {
  const options = { defaults: true };
  const sound = compileSound(schema, options);
  return sound === undefined || trusted ? sound : compileForeign(schema, options);
}

const checks = new WeakMap<JsonObject, { check: Check | undefined }>();

function checkOf(schema: JsonObject, trusted: boolean): Check | undefined {
  const known = checks.get(schema) ?? { check: soundCheck(schema, trusted) };
  checks.set(schema, known);
  return known.check;
}
