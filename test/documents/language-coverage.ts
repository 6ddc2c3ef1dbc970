// Which forms of the language a document has, and which there are: the members of its schema, the forms of a step, and
// the contexts, functions and operators of expressions.

import { functions, parseText, type Tree } from "../../host/expressions/index.ts";
import type { Json, JsonObject } from "../../host/sdk.ts";
import schema from "../../schemas/workflow.schema.json" with { type: "json" };

type Role =
  | "workflow"
  | "triggerUse"
  | "step"
  | "sideStep"
  | "retry"
  | "concurrency"
  | "requires"
  | "window"
  | "limits";

const definitions = schema.$defs as unknown as Record<string, { properties: object }>;
const membersOf = (role: Role) => Object.keys(role === "workflow" ? schema.properties : definitions[role]!.properties);
const roles: Role[] = [
  "workflow",
  "triggerUse",
  "step",
  "sideStep",
  "retry",
  "concurrency",
  "requires",
  "window",
  "limits",
];

const contexts = ["inputs", "event", "vars", "steps", "run", "device", "config", "index", "error", "progress"];

/** All there are, by name. */
export const forms: readonly string[] = [
  ...roles.flatMap((role) => membersOf(role).map((member) => `${role}.${member}`)),
  ...[
    "a plugin's step",
    "workflow:",
    "host/wait duration",
    "host/wait until",
    "host/wait for",
    "host/signal",
    "host/fail",
  ],
  ...["block", "forEach over a list", "forEach over an expression", "parallel", "a step without id"],
  ...["onFailure", "finally", "outputs", "abortOn"].flatMap((member) =>
    ["block", "forEach", "parallel"].map((form) => `${member} of a ${form}`),
  ),
  ...["outputs as a map", "outputs as one expression"],
  ...["queue", "reject", "supersede"].map((word) => `whenBusy ${word}`),
  ...contexts.map((name) => `\${{ ${name} }}`),
  ...["the name in `as`", "a text with expressions", "one whole expression", "a whole path"],
  ...[...functions.keys()].map((name) => `${name}()`),
  ...["!", "&&", "||", "==", "!=", "<", "<=", ">", ">="].map((operator) => `operator ${operator}`),
];

export class Coverage {
  readonly counts = new Map(forms.map((form) => [form, 0]));

  add(workflow: JsonObject): void {
    this.#members("workflow", workflow);
    for (const trigger of (workflow.on ?? []) as JsonObject[]) this.#members("triggerUse", trigger);
    for (const role of ["concurrency", "requires", "window", "limits"] as const) this.#members(role, workflow[role]);
    const { whenBusy } = (workflow.concurrency ?? {}) as JsonObject;
    if (whenBusy !== undefined) this.#count(`whenBusy ${whenBusy}`);
    this.#body(workflow);
    this.#texts(workflow);
  }

  missed(): string[] {
    return [...this.counts].filter(([, count]) => count === 0).map(([form]) => form);
  }

  /** For people: each form with how often it was there, most first. */
  told(): string {
    return [...this.counts]
      .sort(([, one], [, other]) => other - one)
      .map(([form, count]) => `${form} ${count}`)
      .join(", ");
  }

  #count(form: string): void {
    this.counts.set(form, (this.counts.get(form) ?? 0) + 1);
  }

  #members(role: Role, value: Json | undefined): void {
    for (const member of Object.keys((value ?? {}) as object)) this.#count(`${role}.${member}`);
  }

  #body(body: JsonObject, form?: string): void {
    const { steps, parallel, onFailure, finally: always, outputs } = body;
    for (const list of [steps, ...((parallel ?? []) as Json[]), onFailure, always])
      for (const step of (list ?? []) as JsonObject[]) this.#step(step);
    if (outputs !== undefined)
      this.#count(typeof outputs === "string" ? "outputs as one expression" : "outputs as a map");
    if (form === undefined) return;
    for (const member of ["onFailure", "finally", "outputs", "abortOn"])
      if (body[member] !== undefined) this.#count(`${member} of a ${form}`);
  }

  #step(step: JsonObject): void {
    this.#members("step", step);
    this.#members("retry", step.retry);
    if (step.id === undefined) this.#count("a step without id");
    for (const side of [step.undo, step.onProgress] as (JsonObject | undefined)[]) {
      this.#members("sideStep", side);
      this.#members("retry", side?.retry);
    }
    const { uses, forEach, parallel } = step;
    if (typeof uses === "string") this.#count(callOf(uses, step.with as JsonObject));
    else if (forEach !== undefined)
      this.#count(`forEach over ${typeof forEach === "string" ? "an expression" : "a list"}`);
    else this.#count(parallel === undefined ? "block" : "parallel");
    if (uses === undefined)
      this.#body(step, forEach !== undefined ? "forEach" : parallel !== undefined ? "parallel" : "block");
  }

  #texts(value: Json): void {
    if (typeof value === "string") {
      const { parts, whole, references } = parseText(value);
      const trees = parts.filter((part) => typeof part !== "string");
      if (trees.length === 0) return;
      this.#count(whole ? "one whole expression" : "a text with expressions");
      if (whole && ["context", "member"].includes(trees[0]!.kind)) this.#count("a whole path");
      for (const { path } of references) {
        const [name] = path as [string];
        this.#count(contexts.includes(name) ? `\${{ ${name} }}` : "the name in `as`");
      }
      for (const tree of trees) this.#tree(tree);
    } else if (typeof value === "object" && value !== null)
      for (const inner of Object.values(value)) this.#texts(inner);
  }

  #tree(tree: Tree): void {
    if (tree.kind === "call") this.#count(`${tree.name}()`);
    else if (tree.kind === "not") this.#count("operator !");
    else if (tree.kind === "logical" || tree.kind === "compare") this.#count(`operator ${tree.operator}`);
    for (const inner of insideOf(tree)) this.#tree(inner);
  }
}

function insideOf(tree: Tree): Tree[] {
  if (tree.kind === "call" || tree.kind === "logical") return tree.args;
  if (tree.kind === "compare") return [tree.left, tree.right];
  if (tree.kind === "member") return [tree.of, tree.key];
  return tree.kind === "not" ? [tree.of] : [];
}

function callOf(uses: string, input: JsonObject): string {
  if (uses.startsWith("workflow:")) return "workflow:";
  if (uses === "host/wait") return `host/wait ${Object.keys(input)[0]}`;
  return ["host/signal", "host/fail"].includes(uses) ? uses : "a plugin's step";
}
