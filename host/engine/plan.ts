// What a run does next: a function of its program and its state alone. It walks the tree from the top, passes over
// what has ended, and stops at what has not. Decisions that depend on values (a condition, the items of a loop, the
// input of a step) become records at once, so that a later walk, also after a crash, finds them as they were.

import { type Failure, GantryError, toFailure } from "../errors.ts";
import type { Scope } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { PrunedPlaces } from "../store/store.ts";
import { fixValues } from "./fixed-values.ts";
import { checkInput } from "./input-checks.ts";
import { besideFailed, endStatusOf, failed, type Outcome, outcomeOf, pending, seen } from "./place-outcome.ts";
import {
  type Action,
  type Body,
  type CallNode,
  type LoopNode,
  type Node,
  type ParallelNode,
  type Program,
  type StepNode,
  undoableAt,
  type WaitNode,
} from "./program.ts";
import {
  evaluateAt,
  type Read,
  readBoolean,
  readItems,
  readMaxParallel,
  readPolicy,
  readRunPolicy,
  readSignalName,
  readWait,
  type Wait,
} from "./read-values.ts";
import type { Entry, RecordData } from "./records.ts";
import { applyRecord, isSame, type NodeState, type RunState } from "./state.ts";
import { nextInside } from "./time-window.ts";

export interface PlannedAttempt {
  path: string;
  action: Action;
  id: string | undefined;
  onProgress: Action | undefined;
  /** What the step's expressions see. */
  scope: Scope;
}

/** A place that a signal would move. */
export interface Listening {
  path: string;
  signal: string;
  /** Signals count that came at this time or later (epoch milliseconds). */
  since: number;
  /** Whether the signal aborts the place, or else ends its wait. */
  aborts: boolean;
}

export interface Plan {
  /** To be committed before anything below happens. Already applied to the state. */
  records: Entry[];
  /** Places whose attempt is to be under way now. */
  attempts: PlannedAttempt[];
  /** Places whose attempt is to end now, and why. */
  aborts: (PlannedAttempt & { error: Failure })[];
  listening: Listening[];
  /** When to plan again though nothing has happened: the earliest end of a wait (epoch milliseconds). */
  wakeAt: number | undefined;
  /** Whether something is being undone. */
  undoing: boolean;
  /** Records nobody will ask for again. */
  prunes: PrunedPlaces[];
}

/** How long a signal may come before the wait for it begins. */
export const earlySignalMs = 60_000;

/** Loops with more items than this keep no records of their items once they have ended. */
const keptItems = 100;

/** What holds at one place of the tree. */
interface Here {
  scope: Scope;
  /** Why nothing may begin here any more. */
  abort: Failure | undefined;
  /** Whether the run's time window holds steps back: it does not where something is being cleaned up. */
  held: boolean;
}

export interface PlanTimes {
  /** The wall clock, which says what time of day it is; `now` is the run's own clock, which never goes back. */
  today?: number;
  acceptedAt?: number;
}

/** Advances the run as far as it goes without anything happening outside. `scope` is what the whole run sees. */
export function plan(program: Program, state: RunState, scope: Scope, now: number, times: PlanTimes = {}): Plan {
  const walk = new Walk(program, state, now, times.today ?? now);
  walk.run(scope, times.acceptedAt ?? now);
  return walk.plan();
}

class Walk {
  readonly #records: Entry[] = [];
  readonly #attempts = new Map<string, PlannedAttempt>();
  readonly #aborts = new Map<string, PlannedAttempt & { error: Failure }>();
  readonly #listening: Listening[] = [];
  readonly #program: Program;
  readonly #state: RunState;
  readonly #now: number;
  readonly #today: number;
  #wakeAt: number | undefined;
  #undoing = false;
  readonly #prunes: PrunedPlaces[] = [];

  constructor(program: Program, state: RunState, now: number, today: number) {
    this.#program = program;
    this.#state = state;
    this.#now = now;
    this.#today = today;
  }

  plan(): Plan {
    return {
      records: this.#records,
      attempts: [...this.#attempts.values()],
      aborts: [...this.#aborts.values()],
      listening: this.#listening,
      wakeAt: this.#wakeAt,
      undoing: this.#undoing,
      prunes: this.#prunes,
    };
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
        this.#record({ kind: "started", path: "", data: { vars: {} } });
        this.#endRun(failed(started.error));
        return;
      }
      this.#record({ kind: "started", path: "", data: started.value });
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
    this.#record({ kind: "ended", path: "", data });
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
      if (result.status === "failed" && (this.#hasUndoable(`${prefix}`) || followsFailure(body)))
        this.#record({ kind: "failing", path: base, data: { error: result.error } });
    } else {
      this.#collectIds(body, base, own);
      result = failed(failing);
    }
    const cleaning: Here = { scope, abort: undefined, held: false };
    if (result.status === "failed") {
      const error = result.error as unknown as Json;
      if (!this.#undoBelow(prefix, error)) return pending;
      const handled = this.#list(body.onFailure, `${prefix}onFailure`, withError(cleaning, error), own);
      if (handled.status === "pending") return pending;
    }
    const ended = this.#list(body.finally, `${prefix}finally`, cleaning, own);
    if (ended.status === "pending") return pending;
    if (ended.status === "failed" && result.status === "succeeded") return ended;
    return result;
  }

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
      this.#listening.push({ path: base, signal: name.value, since, aborts: true });
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
      if (!this.#undoOne(path, result.error as unknown as Json)) return pending;
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
      this.#record({ kind: "aborting", path: base, data: { error: failure } });
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
        if (!holds.ok) return this.#fail(path, holds.error, node.id);
        if (!holds.value) {
          this.#record({ kind: "skipped", path, data: {} });
          return { status: "skipped" };
        }
      }
    }
    switch (node.form) {
      case "step":
        return this.#step(node, path, here, before);
      case "wait":
        return this.#wait(node, path, here, before);
      case "call":
        return this.#call(node, path, here, before);
      case "loop":
        return this.#loop(node, path, here, before);
      default: {
        if (before === undefined) this.#record({ kind: "entered", path, data: { at: this.#now } });
        const since = this.#state.nodes.get(path)!.enteredAt!;
        return this.#close(path, this.#body(node, path, here, since), node.id);
      }
    }
  }

  #step(node: StepNode, path: string, here: Here, before: NodeState | undefined): Outcome {
    const undo = before === undefined && node.undo !== undefined ? fixValues(node.undo.reads, here.scope) : undefined;
    return this.#action(path, node, node.id, node.onProgress, here, undo);
  }

  #action(
    path: string,
    action: Action,
    id: string | undefined,
    onProgress: Action | undefined,
    here: Here,
    undo?: JsonObject,
  ): Outcome {
    const before = this.#state.nodes.get(path);
    const attempt: PlannedAttempt = { path, action, id, onProgress, scope: here.scope };
    if (before?.status === "running") {
      if (here.abort === undefined) this.#attempts.set(path, attempt);
      else {
        this.#attempts.delete(path);
        this.#aborts.set(path, { ...attempt, error: here.abort });
      }
      return pending;
    }
    if (here.abort !== undefined) return this.#fail(path, here.abort, id);
    if (before?.status === "retrying" && before.retryAt! > this.#now) return this.#sleep(before.retryAt!);
    if (here.held && this.#isOutsideWindow()) return pending;
    if (before?.status === "retrying") {
      this.#record({ kind: "running", path, data: { ...before.begun!, attempt: before.attempt + 1 } });
    } else {
      const input = evaluateAt(action.with, here.scope);
      if (!input.ok) return this.#fail(path, input.error, id);
      const policy = readPolicy(action, here.scope);
      if (!policy.ok) return this.#fail(path, policy.error, id);
      const data = { attempt: 1, input: input.value, ...policy.value, ...(undo === undefined ? {} : { undo }) };
      this.#record({ kind: "running", path, data });
    }
    this.#attempts.set(path, attempt);
    return pending;
  }

  #isOutsideWindow(): boolean {
    const { window } = this.#state.policy;
    if (window === undefined) return false;
    const opening = nextInside(window, this.#today);
    if (opening === this.#today) return false;
    this.#sleep(this.#now + (opening - this.#today));
    return true;
  }

  #wait(node: WaitNode, path: string, here: Here, before: NodeState | undefined): Outcome {
    if (before !== undefined && here.abort !== undefined) return this.#fail(path, here.abort, node.id);
    if (before === undefined) {
      const read = readWait(node, here.scope);
      if (!read.ok) return this.#fail(path, read.error, node.id);
      const { wait, timeoutMs } = read.value;
      const deadline = timeoutMs === undefined ? {} : { deadline: this.#now + timeoutMs };
      this.#record({ kind: "waiting", path, data: { ...this.#waitData(wait), ...deadline } });
    }
    const { until, signal, deadline } = this.#state.nodes.get(path)!.wait!;
    if (until !== undefined && until <= this.#now)
      return this.#close(path, { status: "succeeded", output: {} }, node.id);
    if (deadline !== undefined && deadline <= this.#now)
      return this.#fail(
        path,
        toFailure(new GantryError("STEP_TIMEOUT", "the wait was longer than its timeout")),
        node.id,
      );
    if (signal !== undefined) this.#listening.push({ path, signal: signal.name, since: signal.since, aborts: false });
    for (const time of [until, deadline]) if (time !== undefined) this.#sleep(time);
    return pending;
  }

  #waitData(wait: Wait): RecordData["waiting"] {
    if (wait.kind === "duration") return { until: this.#now + wait.durationMs };
    if (wait.kind === "window") return { until: this.#now + (nextInside(wait.window, this.#today) - this.#today) };
    return { signal: { name: wait.name, since: this.#now - earlySignalMs } };
  }

  #sleep(until: number): Outcome {
    this.#wakeAt = Math.min(this.#wakeAt ?? Number.POSITIVE_INFINITY, until);
    return pending;
  }

  #call(node: CallNode, path: string, here: Here, before: NodeState | undefined): Outcome {
    if (before === undefined) {
      const called = this.#begin(node, here.scope);
      if (!called.ok) return this.#fail(path, called.error, node.id);
      this.#record({ kind: "called", path, data: called.value });
    }
    const { input, vars, at } = this.#state.nodes.get(path)!.call!;
    const scope: Scope = { ...calledScope(here.scope, input), vars, steps: {} };
    return this.#close(path, this.#body(node.program, `${path}/call`, { ...here, scope }, at), node.id);
  }

  #begin({ program, undo, with: given }: CallNode, outer: Scope): Read<RecordData["called"]> {
    const evaluated = evaluateAt(given, outer);
    if (!evaluated.ok) return evaluated;
    const input = structuredClone(evaluated.value);
    try {
      checkInput(program.name, program.inputs, input);
    } catch (error) {
      return { ok: false, error: toFailure(error) };
    }
    const vars = evaluateAt(program.vars, calledScope(outer, input));
    if (!vars.ok) return vars;
    const fixed = undo === undefined ? {} : { undo: fixValues(undo.reads, outer) };
    return { ok: true, value: { input, vars: vars.value, at: this.#now, ...fixed } };
  }

  #loop(node: LoopNode, path: string, here: Here, before: NodeState | undefined): Outcome {
    if (before === undefined) {
      const items = readItems(node.items, here.scope);
      if (!items.ok) return this.#fail(path, items.error, node.id);
      const most = readMaxParallel(node.maxParallel, here.scope);
      if (!most.ok) return this.#fail(path, most.error, node.id);
      const data = {
        items: items.value,
        at: this.#now,
        ...(most.value === undefined ? {} : { maxParallel: most.value }),
      };
      this.#record({ kind: "loop", path, data });
    }
    const loop = this.#state.nodes.get(path)!.loop!;
    const failure = () => (node.continueOnError ? undefined : loop.error);
    const known = failure();
    let open = this.#items(node, path, here, known);
    // Found in this very walk: what has begun meanwhile must hear of it.
    if (known === undefined && failure() !== undefined) open = this.#items(node, path, here, failure());
    if (open > 0) return pending;
    const isAborted = loop.firstOpen < loop.items.length || loop.aborted === true;
    const error = failure() ?? (isAborted ? here.abort : undefined);
    if (loop.items.length > keptItems) this.#forget(path);
    if (error !== undefined) return this.#fail(path, error, node.id);
    return this.#close(path, { status: "succeeded", output: { items: loop.outputs as Json[] } }, node.id);
  }

  /** Goes on with the items that may be under way; gives the number of those that still are. */
  #items(node: LoopNode, path: string, here: Here, failure: Failure | undefined): number {
    const loop = this.#state.nodes.get(path)!.loop!;
    const abort = failure === undefined || isSame(failure, here.abort) ? here.abort : besideFailed(failure);
    let open = 0;
    for (let index = loop.firstOpen; index < loop.items.length && open < loop.maxParallel; index++) {
      if (loop.outputs[index] !== undefined) continue;
      // Whatever has not begun by then never does.
      const stops = abort ?? (node.continueOnError || loop.error === undefined ? undefined : loop.error);
      if (stops !== undefined && index >= loop.begun) break;
      const names = { index, ...(node.as === undefined ? {} : { [node.as]: loop.items[index]! }) };
      const item = `${path}/items/${index}`;
      const result = this.#body(node, item, { ...here, scope: { ...here.scope, ...names }, abort }, loop.enteredAt);
      if (this.#close(item, result, undefined).status === "pending") open += 1;
    }
    return open;
  }

  #forget(path: string): void {
    const keep = [...this.#state.undoables.keys()].filter((inner) => inner.startsWith(`${path}/`));
    // A loop around others that end in this very walk takes them along.
    while (this.#prunes.at(-1)?.under.startsWith(`${path}/`)) this.#prunes.pop();
    this.#prunes.push({ under: path, keep });
  }

  #hasUndoable(prefix: string): boolean {
    for (const path of this.#state.undoables.keys()) if (isUndoneFrom(prefix, path)) return true;
    return false;
  }

  /** Undoes what has happened below a place, the last begun first; false while that is under way. */
  #undoBelow(prefix: string, error: Json): boolean {
    for (const path of [...this.#state.undoables.keys()].reverse())
      if (isUndoneFrom(prefix, path) && !this.#undoOne(path, error)) return false;
    return true;
  }

  #undoOne(path: string, error: Json): boolean {
    const undoable = this.#state.undoables.get(path);
    if (undoable === undefined) return true;
    const { id, undo } = undoableAt(this.#program, path);
    const steps: JsonObject = Object.assign(Object.create(null), undoable.fixed.steps);
    if (id !== undefined) steps[id] = { status: undoable.status, outputs: undoable.output };
    const here: Here = { scope: { ...undoable.fixed, error, steps } as Scope, abort: undefined, held: false };
    const place = `${path}/undo`;
    const result = outcomeOf(this.#state.nodes.get(place)) ?? this.#action(place, undo, undefined, undefined, here);
    if (result.status === "pending") this.#undoing = true;
    return result.status !== "pending";
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
    return failed(named);
  }

  #record(entry: Entry): void {
    applyRecord(this.#state, entry);
    this.#records.push(entry);
  }
}

const stepsPlace = (base: string) => (base === "" ? "steps" : `${base}/steps`);
const branchPlace = (base: string, index: number) => `${base}/parallel/${index}`;

/** What a called workflow sees of the run that calls it. */
const calledScope = ({ run, device, config }: Scope, inputs: Json) =>
  ({ run, device, config, event: {}, inputs }) as unknown as Scope;

/** Whether the failure of a body undoes what happened there; not what a workflow did that was called to clean up. */
const isUndoneFrom = (prefix: string, path: string) =>
  path.startsWith(prefix) && !/(?:^|\/)(?:onFailure|finally)\//.test(path.slice(prefix.length));

const followsFailure = ({ onFailure, finally: always }: Body) => onFailure.length > 0 || always.length > 0;

const withError = (here: Here, error: Json): Here => ({ ...here, scope: { ...here.scope, error } });
