// What a run does next: a function of its program and its state alone. It walks the tree from the top, passes over
// what has ended, and stops at what has not. Decisions that depend on values (a condition, the items of a loop, the
// input of a step) become records at once, so that a later walk, also after a crash, finds them as they were.

import type { Failure } from "../errors.ts";
import type { Scope } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { Body, LoopNode, Node, Program, StepNode } from "./program.ts";
import { evaluateAt, readBoolean, readItems, readPolicy } from "./read-values.ts";
import type { Entry } from "./records.ts";
import { applyRecord, type NodeState, type RunState } from "./state.ts";

export interface Plan {
  /** To be committed before anything below happens. Already applied to the state. */
  records: Entry[];
  /** Places whose attempt is to be under way now. */
  attempts: { path: string; node: StepNode }[];
  /** When to plan again though nothing has happened: the earliest end of a wait (epoch milliseconds). */
  wakeAt: number | undefined;
}

type Outcome =
  | { status: "pending" }
  | { status: "succeeded"; output: Json }
  | { status: "failed"; error: Failure }
  | { status: "skipped" };

const pending: Outcome = { status: "pending" };

/** Advances the run as far as it goes without anything happening outside. `scope` is what the whole run sees. */
export function plan(program: Program, state: RunState, scope: Scope, now: number): Plan {
  const walk = new Walk(state, now);
  walk.run(program, scope);
  return { records: walk.records, attempts: walk.attempts, wakeAt: walk.wakeAt };
}

class Walk {
  readonly records: Entry[] = [];
  readonly attempts: Plan["attempts"] = [];
  wakeAt: number | undefined;
  readonly #state: RunState;
  readonly #now: number;

  constructor(state: RunState, now: number) {
    this.#state = state;
    this.#now = now;
  }

  run(program: Program, outer: Scope): void {
    if (this.#state.ended !== undefined) return;
    if (this.#state.vars === undefined) {
      const vars = evaluateAt(program.vars, outer);
      this.#record({ kind: "started", path: "", data: { vars: vars.ok ? vars.value : {} } });
      if (!vars.ok) {
        this.#endRun({ status: "failed", error: vars.error });
        return;
      }
    }
    const result = this.#body(program, "", { ...outer, vars: this.#state.vars, steps: {} });
    if (result.status !== "pending") this.#endRun(result);
  }

  #endRun(result: Outcome): void {
    const data =
      result.status === "failed"
        ? ({ status: "failed", output: null, error: result.error } as const)
        : ({ status: "succeeded", output: result.status === "succeeded" ? result.output : null, error: null } as const);
    this.#record({ kind: "ended", path: "", data });
  }

  /** Steps, then `onFailure` if they failed, then `finally`. */
  #body(body: Body, base: string, scope: Scope): Outcome {
    const prefix = base === "" ? "" : `${base}/`;
    // The ids of this body are seen by its own lists and what lies inside them, not outside.
    const own: JsonObject = Object.assign(Object.create(null), scope.steps);
    const inside: Scope = { ...scope, steps: own };
    let result = this.#list(body.steps, `${prefix}steps`, inside, own);
    if (result.status === "pending") return pending;
    if (result.status === "succeeded" && body.outputs !== undefined) {
      const outputs = evaluateAt(body.outputs, inside);
      result = outputs.ok ? { status: "succeeded", output: outputs.value } : { status: "failed", error: outputs.error };
    }
    if (result.status === "failed" && body.onFailure.length > 0) {
      const error = result.error as unknown as Json;
      const handled = this.#list(body.onFailure, `${prefix}onFailure`, { ...inside, error }, own);
      if (handled.status === "pending") return pending;
    }
    if (body.finally.length > 0) {
      const ended = this.#list(body.finally, `${prefix}finally`, inside, own);
      if (ended.status === "pending") return pending;
      if (ended.status === "failed" && result.status === "succeeded") return ended;
    }
    return result;
  }

  /** One after the other, up to the first failure. */
  #list(nodes: Node[], base: string, scope: Scope, ids: JsonObject): Outcome {
    for (const [index, node] of nodes.entries()) {
      const result = this.#node(node, `${base}/${index}`, scope);
      if (result.status === "pending") return pending;
      if (node.id !== undefined) {
        ids[node.id] = { status: result.status, outputs: result.status === "succeeded" ? result.output : null };
      }
      if (result.status === "failed" && !node.continueOnError) return result;
    }
    return { status: "succeeded", output: {} };
  }

  #node(node: Node, path: string, scope: Scope): Outcome {
    const before = this.#state.nodes.get(path);
    const ended = outcomeOf(before);
    if (ended !== undefined) return ended;
    if (before === undefined && node.condition !== undefined) {
      const holds = readBoolean(node.condition, scope);
      if (!holds.ok) return this.#fail(path, holds.error, node.id);
      if (!holds.value) {
        this.#record({ kind: "skipped", path, data: {} });
        return { status: "skipped" };
      }
      if (node.form === "block") this.#record({ kind: "entered", path, data: {} });
    }
    if (node.form === "step") return this.#step(node, path, scope, before);
    if (node.form === "loop") return this.#loop(node, path, scope, before);
    return this.#close(path, this.#body(node, path, scope), node.id);
  }

  #step(node: StepNode, path: string, scope: Scope, before: NodeState | undefined): Outcome {
    if (before?.status === "retrying") {
      if (before.retryAt! > this.#now) {
        this.wakeAt = Math.min(this.wakeAt ?? Number.POSITIVE_INFINITY, before.retryAt!);
        return pending;
      }
      this.#record({ kind: "running", path, data: { ...before.begun!, attempt: before.attempt + 1 } });
    } else if (before === undefined) {
      const input = evaluateAt(node.with, scope);
      if (!input.ok) return this.#fail(path, input.error, node.id);
      const policy = readPolicy(node, scope);
      if (!policy.ok) return this.#fail(path, policy.error, node.id);
      this.#record({ kind: "running", path, data: { attempt: 1, input: input.value, ...policy.value } });
    }
    this.attempts.push({ path, node });
    return pending;
  }

  #loop(node: LoopNode, path: string, scope: Scope, before: NodeState | undefined): Outcome {
    if (before === undefined) {
      const items = readItems(node.items, scope);
      if (!items.ok) return this.#fail(path, items.error, node.id);
      this.#record({ kind: "loop", path, data: { items: items.value } });
    }
    const loop = this.#state.nodes.get(path)!.loop!;
    while (loop.outputs.length < loop.items.length) {
      if (loop.error !== undefined && !node.continueOnError) return this.#fail(path, loop.error, node.id);
      const index = loop.outputs.length;
      const names = { index, ...(node.as === undefined ? {} : { [node.as]: loop.items[index]! }) };
      const result = this.#body(node, `${path}/items/${index}`, { ...scope, ...names });
      if (this.#close(`${path}/items/${index}`, result, undefined).status === "pending") return pending;
    }
    if (loop.error !== undefined && !node.continueOnError) return this.#fail(path, loop.error, node.id);
    return this.#close(path, { status: "succeeded", output: { items: loop.outputs } }, node.id);
  }

  /** Records the end of a place that has an inside. */
  #close(path: string, result: Outcome, id: string | undefined): Outcome {
    if (result.status === "failed") return this.#fail(path, result.error, id);
    if (result.status === "succeeded") this.#record({ kind: "succeeded", path, data: { output: result.output } });
    return result;
  }

  #fail(path: string, error: Failure, id: string | undefined): Outcome {
    const named = error.step === undefined && id !== undefined ? { ...error, step: id } : error;
    this.#record({ kind: "failed", path, data: { error: named } });
    return { status: "failed", error: named };
  }

  #record(entry: Entry): void {
    applyRecord(this.#state, entry);
    this.records.push(entry);
  }
}

function outcomeOf(state: NodeState | undefined): Outcome | undefined {
  if (state?.status === "succeeded") return { status: "succeeded", output: state.output! };
  if (state?.status === "failed") return { status: "failed", error: state.error! };
  if (state?.status === "skipped") return { status: "skipped" };
  return undefined;
}
