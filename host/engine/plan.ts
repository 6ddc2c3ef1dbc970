// What a run does next: a function of its program and its state alone. It walks the tree from the top, passes over
// what has ended, and stops at what has not. Decisions that depend on values (a condition, the items of a loop, the
// input of a step) become records at once, so that a later walk, also after a crash, finds them as they were.

import type { Failure } from "../errors.ts";
import type { Scope } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { fixValues } from "./fixed-values.ts";
import { besideFailed, endStatusOf, failed, type Outcome, outcomeOf, pending, seen } from "./place-outcome.ts";
import { planAction } from "./plan-action.ts";
import { planCall } from "./plan-call.ts";
import { type Here, type Plan, PlanDraft, type WalkBody } from "./plan-draft.ts";
import { planLoop } from "./plan-loop.ts";
import { hasUndoable, undoBelow, undoOne } from "./plan-undo.ts";
import { planWait } from "./plan-wait.ts";
import type { Body, Node, ParallelNode, Program, StepNode } from "./program.ts";
import { evaluateAt, type Read, readBoolean, readRunPolicy, readSignalName } from "./read-values.ts";
import type { RecordData } from "./records.ts";
import { isSame, type NodeState, type RunState } from "./state.ts";

export interface PlanTimes {
  /** The wall clock, which says what time of day it is; `now` is the run's own clock, which never goes back. */
  today?: number;
  acceptedAt?: number;
}

/** Advances the run as far as it goes without anything happening outside. `scope` is what the whole run sees. */
export function plan(program: Program, state: RunState, scope: Scope, now: number, times: PlanTimes = {}): Plan {
  const draft = new PlanDraft(state, now, times.today ?? now);
  new Walk(program, draft).run(scope, times.acceptedAt ?? now);
  return draft.finish();
}

class Walk {
  readonly #program: Program;
  readonly #draft: PlanDraft;
  readonly #state: RunState;

  constructor(program: Program, draft: PlanDraft) {
    this.#program = program;
    this.#draft = draft;
    this.#state = draft.state;
  }

  run(outer: Scope, acceptedAt: number): void {
    if (this.#state.ended !== undefined) return;
    const program = this.#program;
    if (this.#state.vars === undefined) {
      const abort = this.#state.aborts.get("");
      if (abort !== undefined) {
        this.#endRun(failed(abort));
        return;
      }
      const started = this.#start(program, outer);
      if (!started.ok) {
        this.#draft.record({ kind: "started", path: "", data: { vars: {} } });
        this.#endRun(failed(started.error));
        return;
      }
      this.#draft.record({ kind: "started", path: "", data: started.value });
    }
    const scope: Scope = { ...outer, vars: this.#state.vars!, steps: {} };
    const result = this.#body(program, "", { scope, abort: undefined, held: true }, acceptedAt);
    if (result.status !== "pending") this.#endRun(result);
  }

  #start(program: Program, outer: Scope): Read<RecordData["started"]> {
    const vars = evaluateAt(program.vars, outer);
    if (!vars.ok) return vars;
    const policy = readRunPolicy(program, { ...outer, vars: vars.value });
    if (!policy.ok) return policy;
    const has = Object.keys(policy.value).length > 0;
    return { ok: true, value: { vars: vars.value, ...(has ? { policy: policy.value } : {}) } };
  }

  #endRun(result: Outcome): void {
    const data =
      result.status === "failed"
        ? { status: endStatusOf(result.error), output: null, error: result.error }
        : ({ status: "succeeded", output: result.status === "succeeded" ? result.output : null, error: null } as const);
    this.#draft.record({ kind: "ended", path: "", data });
  }

  /** Steps; if they failed, what undoes them and `onFailure`; then `finally`. */
  #body(body: Body | ParallelNode, base: string, outer: Here, since: number): Outcome {
    const prefix = base === "" ? "" : `${base}/`;
    // The ids of this body are seen by its own lists and what lies inside them, not outside.
    const own: JsonObject = Object.assign(Object.create(null), outer.scope.steps);
    const scope: Scope = { ...outer.scope, steps: own };
    const failing = this.#state.failing.get(base);
    let result: Outcome;
    if (failing === undefined) {
      result = this.#main(body, base, { ...outer, scope }, own, since);
      if (result.status === "pending") return pending;
      if (result.status === "succeeded" && body.outputs !== undefined) {
        const outputs = evaluateAt(body.outputs, scope);
        result = outputs.ok ? { status: "succeeded", output: outputs.value } : failed(outputs.error);
      }
      if (result.status === "failed" && (hasUndoable(this.#draft, prefix) || followsFailure(body)))
        this.#draft.record({ kind: "failing", path: base, data: { error: result.error } });
    } else {
      this.#collectIds(body, base, own);
      result = failed(failing);
    }
    const cleaning: Here = { scope, abort: undefined, held: false };
    if (result.status === "failed") {
      const error = result.error as unknown as Json;
      if (!undoBelow(this.#draft, this.#program, prefix, error)) return pending;
      const handled = this.#list(body.onFailure, `${prefix}onFailure`, withError(cleaning, error), own);
      if (handled.status === "pending") return pending;
    }
    const ended = this.#list(body.finally, `${prefix}finally`, cleaning, own);
    if (ended.status === "pending") return pending;
    if (ended.status === "failed" && result.status === "succeeded") return ended;
    return result;
  }

  readonly #walkBody: WalkBody = (body, base, here, since) => this.#body(body, base, here, since);

  #main(body: Body | ParallelNode, base: string, here: Here, own: JsonObject, since: number): Outcome {
    // Of two reasons the inner one came first: once something is to end, nothing inside is aborted by itself.
    const inside = { ...here, abort: this.#state.aborts.get(base) ?? here.abort };
    const name = body.abortOn === undefined ? undefined : readSignalName(body.abortOn, here.scope);
    if (name?.ok === false) return failed(name.error);
    const result =
      "branches" in body
        ? this.#branches(body, base, inside, own)
        : this.#list(body.steps, stepsPlace(base), inside, own);
    if (name !== undefined && inside.abort === undefined && result.status === "pending")
      this.#draft.listening.push({ path: base, signal: name.value, since, aborts: true });
    return result;
  }

  /** One after the other, up to the first failure. */
  #list(nodes: Node[], base: string, here: Here, ids: JsonObject): Outcome {
    for (let index = 0; index < nodes.length; index++) {
      const node = nodes[index]!;
      const path = `${base}/${index}`;
      const result = this.#node(node, path, here);
      if (result.status === "pending") return pending;
      if (node.id !== undefined) ids[node.id] = seen(result);
      if (result.status !== "failed") continue;
      // An abort is not gone on after, also where nothing was left to begin.
      if (!node.continueOnError || isSame(result.error, here.abort)) return result;
      // The rest goes on as if it had not been: what it did halfway is taken back first.
      if (!undoOne(this.#draft, this.#program, path, result.error as unknown as Json)) return pending;
    }
    return { status: "succeeded", output: {} };
  }

  /** The lists of a `parallel`; a failure in one of them aborts the others. */
  #branches(node: ParallelNode, base: string, here: Here, own: JsonObject): Outcome {
    const ids = node.branches.map((): JsonObject => Object.assign(Object.create(null), own));
    const walkAll = (abort: Failure | undefined) =>
      node.branches.map((list, index) => {
        const scope = { ...here.scope, steps: ids[index]! };
        return this.#list(list, branchPlace(base, index), { ...here, scope, abort }, ids[index]!);
      });
    let failure = node.continueOnError ? undefined : this.#failureBeside(base);
    let results = walkAll(here.abort ?? failure);
    const first = results.find((result) => result.status === "failed");
    if (first !== undefined && failure === undefined && here.abort === undefined && !node.continueOnError) {
      // Found in this very walk: what has begun meanwhile must hear of it.
      failure = besideFailed(first.error);
      this.#draft.record({ kind: "aborting", path: base, data: { error: failure } });
      results = walkAll(failure);
    }
    if (results.some(({ status }) => status === "pending")) return pending;
    for (const inner of ids) Object.assign(own, inner);
    const failures = results.filter((result) => result.status === "failed").map(({ error }) => error);
    // The first reason counts: a failure in one of the lists, unless all were to end before it.
    const abort = failure === undefined ? failures.find((error) => isSame(error, here.abort)) : undefined;
    const cause = abort ?? failures.find(({ details }) => details?.beside === undefined) ?? failures[0];
    return cause === undefined ? { status: "succeeded", output: {} } : failed(cause);
  }

  #failureBeside(base: string): Failure | undefined {
    const abort = this.#state.aborts.get(base);
    return abort?.details?.beside === undefined ? undefined : abort;
  }

  // What the ids of a body's ended steps stand for, without going on with any of them.
  #collectIds(body: Body | ParallelNode, base: string, ids: JsonObject): void {
    const lists =
      "branches" in body
        ? body.branches.map((list, index) => [list, branchPlace(base, index)] as const)
        : [[body.steps, stepsPlace(base)] as const];
    for (const [list, place] of lists)
      for (const [index, { id }] of list.entries()) {
        const ended = outcomeOf(this.#state.nodes.get(`${place}/${index}`));
        if (id !== undefined && ended !== undefined) ids[id] = seen(ended);
      }
  }

  #node(node: Node, path: string, here: Here): Outcome {
    const before = this.#state.nodes.get(path);
    const ended = outcomeOf(before);
    if (ended !== undefined) return ended;
    if (before === undefined) {
      if (here.abort !== undefined) return failed(here.abort);
      if (node.condition !== undefined) {
        const holds = readBoolean(node.condition, here.scope);
        if (!holds.ok) return this.#draft.fail(path, holds.error, node.id);
        if (!holds.value) {
          this.#draft.record({ kind: "skipped", path, data: {} });
          return { status: "skipped" };
        }
      }
    }
    switch (node.form) {
      case "step":
        return this.#step(node, path, here, before);
      case "wait":
        return planWait(this.#draft, node, path, here, before);
      case "call":
        return planCall(this.#draft, this.#walkBody, node, path, here, before);
      case "loop":
        return planLoop(this.#draft, this.#walkBody, node, path, here, before);
      default: {
        if (before === undefined) this.#draft.record({ kind: "entered", path, data: { at: this.#draft.now } });
        const since = this.#state.nodes.get(path)!.enteredAt!;
        return this.#draft.close(path, this.#body(node, path, here, since), node.id);
      }
    }
  }

  #step(node: StepNode, path: string, here: Here, before: NodeState | undefined): Outcome {
    const undo = before === undefined && node.undo !== undefined ? fixValues(node.undo.reads, here.scope) : undefined;
    return planAction(this.#draft, path, node, node.id, node.onProgress, here, undo);
  }
}

const stepsPlace = (base: string) => (base === "" ? "steps" : `${base}/steps`);
const branchPlace = (base: string, index: number) => `${base}/parallel/${index}`;

const followsFailure = ({ onFailure, finally: always }: Body) => onFailure.length > 0 || always.length > 0;

const withError = (here: Here, error: Json): Here => ({ ...here, scope: { ...here.scope, error } });
