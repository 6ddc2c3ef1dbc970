// `with`, held against the schema of its step, trigger or workflow, as far as its values are known beforehand.

import { hasExpression, parseText } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { isSecretReference } from "../secrets.ts";
import type { VerbCatalogue } from "./catalogue.ts";
import { holdsExpression } from "./check-expressions.ts";
import { ofCalls } from "./check-form.ts";
import type { Checking } from "./checking.ts";
import { kindsOfWhole } from "./expression-kinds.ts";
import { checkNamedSecrets, misnamed, secretsNamedIn, type Taker } from "./named-secrets.ts";
import { parentOf, parsePointer, pointerTo, valueAt } from "./pointer.ts";
import { type compileSchema, compileSound, faultOptions, type SchemaProblem } from "./schema-check.ts";
import { inWords } from "./schema-words.ts";
import { type Kind, memberNames, type Shape } from "./shapes.ts";
import type { Visible } from "./visible.ts";

interface Taken {
  schema: Shape;
  /** Whether the schema need not be watched. */
  trusted: boolean;
  by: Taker;
}

/** `place` is the pointer of the object that has, or lacks, `with`; `taken` is what may stand there. */
export function checkWith(checking: Checking, place: string, value: unknown, taken: Taken, visible: Visible): void {
  const { schema, trusted, by } = taken;
  const check = schema === undefined ? undefined : checkOf(schema, trusted);
  if (check === undefined) return;
  const given = (value ?? {}) as Json;
  const base = value === undefined ? place : `${place}/with`;
  const secrets = checkNamedSecrets(checking, base, given, schema!, by);
  for (const problem of knownProblems(given, check, visible, secrets)) {
    const pointer = base + problem.pointer;
    checking.report(pointer, faultOptions({ ...besideWith(misnamed(problem, given, schema!)), pointer }));
  }
}

/** A member of the step that stands in its `with`. */
function besideWith(problem: SchemaProblem): SchemaProblem {
  const { pointer, property, suggestion } = problem;
  if (property === undefined || suggestion !== undefined || pointer !== pointerTo([property])) return problem;
  if (!ofCalls.includes(property)) return problem;
  return { ...problem, message: `\`${property}\` is no input: it belongs to the step, beside \`with\`` };
}

/** An input of the step, or a setting of the trigger, that stands beside its `with`. */
export function inputBesideWith(problem: SchemaProblem, root: Json, { steps, triggers }: VerbCatalogue): SchemaProblem {
  const { pointer, property } = problem;
  const path = parsePointer(pointer);
  if (property === undefined || path.at(-1) !== property) return problem;
  const { uses, trigger } = (valueAt(root, path.slice(0, -1)) ?? {}) as JsonObject;
  const [verb, input] =
    typeof uses === "string"
      ? [uses, steps.get(uses)?.input]
      : [trigger, typeof trigger === "string" ? triggers.get(trigger)?.with : undefined];
  if (input === undefined || !memberNames(input).includes(property)) return problem;
  const { suggestion: _, isHabit: __, ...plain } = problem;
  return {
    ...plain,
    message: `\`${property}\` ${uses === undefined ? "is a setting" : "is an input"} of ${verb} and belongs into \`with\``,
  };
}

/** An expression or a secret, the kinds of value it may give, and how many of them have been tried in its place. */
interface Open {
  parent: JsonObject;
  key: string;
  written: Json;
  kinds: Kind[];
  tried: number;
}

/**
 * What an expression gives shows only in the run, and is checked then. Where its kind is known beforehand, a value of
 * that kind stands in for it: only when none of its kinds fits, it is a problem.
 */
function knownProblems(written: Json, check: Check, visible: Visible, secrets: ReadonlySet<string>): SchemaProblem[] {
  // Defaults are filled in, as they are for the run.
  const root = { value: structuredClone(written) };
  if (!holdsExpression(written) && secretsNamedIn(written).length === 0) return check(root.value);
  const open = new Map<string, Open>();
  collectOpen(root, "value", "", { visible, secrets }, open);
  const unfit: SchemaProblem[] = [];
  for (;;) {
    const problems = check(root.value);
    const refused = problems.filter((problem) => refusesKind(problem, open.get(problem.pointer)));
    for (const problem of refused) {
      const leaf = open.get(problem.pointer)!;
      if (tryNext(leaf)) continue;
      const what = isSecretReference(leaf.written) ? "a secret is" : "what stands here gives";
      unfit.push({ ...problem, message: `${problem.message}, and ${what} ${inWords(leaf.kinds)}` });
      // It has been said, once.
      leaf.kinds = [];
    }
    if (refused.length === 0) return [...unfit, ...problems.filter((problem) => !isOpen(problem, root.value, open))];
  }
}

function collectOpen(
  parent: JsonObject,
  key: string,
  pointer: string,
  known: { visible: Visible; secrets: ReadonlySet<string> },
  open: Map<string, Open>,
): void {
  const value = parent[key]!;
  if (isSecretReference(value)) {
    // What may not stand here has been reported, and is open to anything.
    const kinds: Kind[] = known.secrets.has(pointer) ? ["string"] : [];
    const leaf = { parent, key, written: value as unknown as Json, kinds, tried: 0 };
    open.set(pointer, leaf);
    if (kinds.length > 0) tryNext(leaf);
  } else if (typeof value === "string" && hasExpression(value)) {
    const parsed = parseText(value);
    const kinds = parsed.whole
      ? kindsOfWhole(parsed, known.visible)
      : parsed.faults.length === 0
        ? ["string" as const]
        : [];
    if (kinds === undefined || kinds.length === 0) return;
    const leaf = { parent, key, written: value, kinds, tried: 0 };
    open.set(pointer, leaf);
    tryNext(leaf);
  } else if (typeof value === "object" && value !== null)
    for (const inner of Object.keys(value))
      collectOpen(value as JsonObject, inner, pointer + pointerTo([inner]), known, open);
}

function refusesKind({ keyword, kinds }: SchemaProblem, leaf: Open | undefined): boolean {
  if (leaf === undefined || leaf.kinds.length === 0) return false;
  if (keyword === "type") return true;
  const given = leaf.kinds[leaf.tried - 1]!;
  return kinds !== undefined && !kinds.some((kind) => kind === given || (isNumber(kind) && isNumber(given)));
}

const isNumber = (kind: Kind) => kind === "integer" || kind === "number";

/** Puts a value of the next kind in its place; false, and what was written, when all have been tried. */
function tryNext(leaf: Open): boolean {
  const next = leaf.kinds[leaf.tried];
  leaf.tried += 1;
  leaf.parent[leaf.key] = next === undefined ? leaf.written : standIn(next, leaf.written);
  return next !== undefined;
}

function standIn(kind: Kind, written: Json): Json {
  if (kind === "string") return typeof written === "string" ? written : "a secret";
  if (kind === "array") return [];
  if (kind === "object") return {};
  return kind === "null" ? null : kind === "boolean" ? true : 1;
}

/** Whether a problem is one of a value that only the run shows. */
function isOpen({ pointer, keyword, property }: SchemaProblem, given: Json, open: ReadonlyMap<string, Open>): boolean {
  // An unknown key is one whatever its value will be.
  const isUnknownKey = property !== undefined && keyword !== "required";
  if (!isUnknownKey && open.has(pointer)) return true;
  if (property !== undefined) return open.has(parentOf(pointer));
  const value = valueAt(given, parsePointer(pointer));
  if (typeof value === "string" && hasExpression(value)) return true;
  return (keyword === "anyOf" || keyword === "oneOf") && (holdsExpression(value) || holdsOpen(pointer, open));
}

function holdsOpen(pointer: string, open: ReadonlyMap<string, Open>): boolean {
  return [...open.keys()].some((inner) => inner.startsWith(`${pointer}/`));
}

type Check = ReturnType<typeof compileSchema>;

const checks = new WeakMap<JsonObject, { check: Check | undefined }>();

function checkOf(schema: JsonObject, trusted: boolean): Check | undefined {
  const known = checks.get(schema) ?? { check: compileSound(schema, { defaults: true, trusted }) };
  checks.set(schema, known);
  return known.check;
}
