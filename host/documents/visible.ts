// What expressions may read at one place of a workflow, and what is known of its shape.

import type { JsonObject } from "../sdk.ts";
import { inWords } from "./schema-words.ts";
import { Scope } from "./scope.ts";
import { innerShape, kindsOf, listed, meant, memberNames, type Shape, secretShape } from "./shapes.ts";

export interface VisibleStep {
  outputs: Shape;
  /** Its `if`: without it the step has run. */
  condition?: boolean | string | undefined;
}

export interface Visible {
  /** By context name. */
  contexts: ReadonlyMap<string, Shape>;
  /** The steps that have run by then, by id. */
  steps: Scope<VisibleStep>;
  /** Ids that come later. */
  later: Scope<true>;
  /** The ids of all steps of the workflow, wherever they stand. */
  everywhere: ReadonlySet<string>;
  /** The id, if there is one, of each step that has a name. */
  named: ReadonlyMap<string, string | undefined>;
  /** The `if`s that hold at this place. */
  conditions: readonly string[];
  /** Whether a fault of shape may have taken away a context, or the id of a step: then any name may be right. */
  anyContext?: boolean;
  anyStep?: boolean;
}

export function visibleOf(
  contexts: Iterable<[string, Shape]>,
  { everywhere, named }: Pick<Visible, "everywhere" | "named"> = { everywhere: new Set(), named: new Map() },
): Visible {
  return { contexts: new Map(contexts), steps: new Scope(), later: new Scope(), everywhere, named, conditions: [] };
}

/** The same place, seen with more contexts. */
export function withContexts(visible: Visible, contexts: readonly (readonly [string, Shape])[]): Visible {
  return { ...visible, contexts: new Map([...visible.contexts, ...contexts]) };
}

/** Which part of a path does not exist: its index in the path, and why. */
export interface Missing {
  segment: number;
  message: string;
  suggestion?: string;
}

type Path = readonly (string | number)[];

export function findMissing(path: Path, visible: Visible): Missing | undefined {
  const [context, ...rest] = path as [string, ...(string | number)[]];
  if (context !== "steps") return missingIn(visible.contexts.get(context), rest, 1, context);
  const [id, member, ...inner] = rest;
  if (id === undefined) return undefined;
  const step = typeof id === "string" ? visible.steps.get(id) : undefined;
  if (step === undefined) {
    if (visible.later.has(String(id))) return { segment: 1, message: `step ${id} has not run at this place` };
    if (visible.anyStep === true) return undefined;
    if (visible.everywhere.has(String(id))) {
      const message = `step ${id} stands inside something that shows only its \`outputs\`, or in a list beside this one`;
      return { segment: 1, message };
    }
    if (visible.named.has(String(id))) {
      const own = visible.named.get(String(id));
      const message = `no step has the id ${id}; expressions read the \`id\` of a step, and its \`name\` is for people`;
      return { segment: 1, message, ...(own === undefined ? {} : { suggestion: own }) };
    }
    const message = `no step has the id ${id}`;
    return { segment: 1, message, ...meant(String(id), visible.steps.keys()) };
  }
  if (member === undefined || member === "status") return undefined;
  if (member !== "outputs")
    return {
      segment: 2,
      message: `a step has \`outputs\` and \`status\`, and no ${member}`,
      ...meantMember(String(member), step.outputs),
    };
  return missingIn(step.outputs, inner, 3, `steps.${id}.outputs`);
}

function meantMember(member: string, outputs: Shape): { suggestion?: string } {
  const own = outputs === undefined ? [] : memberNames(outputs);
  if (own.includes(member)) return { suggestion: `outputs.${member}` };
  return meant(member, ["outputs", "status"]);
}

function missingIn(shape: Shape, path: Path, segment: number, name: string): Missing | undefined {
  const [key] = path;
  if (key === undefined || shape === undefined) return undefined;
  const kinds = kindsOf(shape);
  if (kinds !== undefined && !kinds.includes(typeof key === "number" ? "array" : "object"))
    return { segment, message: `\`${name}\` is ${inWords(kinds)} and has no member ${key}` };
  const inner = innerShape(shape, key);
  if (inner === secretShape)
    return { segment, message: `\`${name}.${key}\` is a secret, and expressions do not see secrets` };
  if (inner !== "missing") {
    const member = typeof key === "number" ? `${name}[${key}]` : `${name}.${key}`;
    return missingIn(inner, path.slice(1), segment + 1, member);
  }
  const known = memberNames(shape);
  const among = known.length > 0 ? `it has ${listed(known)}` : nothingIn(name);
  return { segment, message: `\`${name}\` has no member ${key}; ${among}`, ...meant(String(key), known) };
}

function nothingIn(name: string): string {
  return /\.outputs\.items\[\d+\]$/.test(name)
    ? "the loop shows of its items what its `outputs` say"
    : "it has no members";
}

/** The id of the step whose outputs a path reads though it may have been skipped, unless an `if` sees to that. */
export function maybeSkipped([context, id, member]: Path, { steps, conditions }: Visible): string | undefined {
  if (context !== "steps" || member !== "outputs" || typeof id !== "string") return undefined;
  const condition = steps.get(id)?.condition;
  if (condition === undefined || condition === true) return undefined;
  const reads = new RegExp(`\\bsteps(?:\\.${id}(?![\\w-])|\\[\\s*'${id}')`);
  return conditions.some((text) => text === condition || reads.test(text)) ? undefined : id;
}

const status: JsonObject = { enum: ["succeeded", "failed", "skipped"] };

/** What is known of the value at a path. */
export function shapeAt(path: Path, visible: Visible): Shape {
  const [context, id, member, ...rest] = path;
  if (context !== "steps") return within(visible.contexts.get(String(context)), path.slice(1));
  if (member === "status") return within(status, rest);
  return member === "outputs" ? within(visible.steps.get(String(id))?.outputs, rest) : undefined;
}

function within(shape: Shape, path: Path): Shape {
  let found = shape;
  for (const key of path) {
    const inner = found === undefined ? undefined : innerShape(found, key);
    found = inner === "missing" ? undefined : inner;
  }
  return found;
}
