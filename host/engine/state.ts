import type { Failure } from "../errors.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { Entry, ProcessIdentity, RecordData, RunPolicy } from "./records.ts";

/** Where one place of the workflow stands. */
export interface NodeState {
  status: "running" | "retrying" | "waiting" | "entered" | "succeeded" | "failed" | "skipped";
  /** The attempt under way or, once ended, the last one; counts from 1. */
  attempt: number;
  begun?: RecordData["running"];
  /** This attempt was begun by an earlier host, which left it without a result. */
  resumed?: true;
  process?: ProcessIdentity;
  checkpoint?: Json;
  retryAt?: number;
  wait?: RecordData["waiting"];
  output?: Json;
  error?: Failure;
  /** When it was entered (epoch milliseconds). */
  enteredAt?: number;
  call?: RecordData["called"];
  loop?: LoopState;
}

/** How far a `forEach` has come. */
export interface LoopState {
  items: Json[];
  /** Epoch milliseconds. */
  enteredAt: number;
  maxParallel: number;
  /** What the ended items gave, in their places; null for a failed one. */
  outputs: (Json | undefined)[];
  /** Items below this index have ended, all of them. */
  firstOpen: number;
  /** Items from this index on have not begun. */
  begun: number;
  /** Why an item failed: the first one that did. */
  error?: Failure;
  /** An item was ended by an abort of what surrounds the loop. */
  aborted?: true;
}

/** Something that will have to be undone if what surrounds it fails. */
export interface Undoable {
  /** The values its `undo` was promised before it acted. */
  fixed: JsonObject;
  /** Null while it has none, and if it failed. */
  output: Json;
  status: "running" | "succeeded" | "failed";
}

export interface RunState {
  nodes: Map<string, NodeState>;
  /** By path, in order of start. What was undone, or ended where nothing can undo it any more, is gone. */
  undoables: Map<string, Undoable>;
  /** By path: what below it is to end, and why. */
  aborts: Map<string, Failure>;
  /** By path: bodies whose steps have failed. */
  failing: Map<string, Failure>;
  /** Signals this run has taken. */
  signals: Set<string>;
  /** Undefined until the run left the queue. */
  vars: Json | undefined;
  policy: RunPolicy;
  ended: RecordData["ended"] | undefined;
}

export function emptyState(): RunState {
  return {
    nodes: new Map(),
    undoables: new Map(),
    aborts: new Map(),
    failing: new Map(),
    signals: new Set(),
    vars: undefined,
    policy: {},
    ended: undefined,
  };
}

/** The state after one more record. The only place where a run's state changes. */
export function applyRecord(state: RunState, { kind, path, data }: Entry): void {
  switch (kind) {
    case "started":
      state.vars = data.vars;
      state.policy = data.policy ?? {};
      return;
    case "ended":
      state.ended = data;
      return;
    case "aborting":
      if (!state.aborts.has(path)) state.aborts.set(path, data.error);
      if (data.signal !== undefined) state.signals.add(data.signal);
      return;
    case "failing": {
      state.failing.set(path, data.error);
      // What goes on beside an item need not wait for its clean-up to hear of it.
      const loop = loopOf(state, path);
      if (loop !== undefined) loop.error ??= data.error;
      return;
    }
    case "running": {
      const before = state.nodes.get(path);
      begin(state, path, {
        status: "running",
        attempt: data.attempt,
        begun: data,
        ...(before?.checkpoint === undefined ? {} : { checkpoint: before.checkpoint }),
      });
      keepForUndoing(state, path, data.undo);
      return;
    }
    case "resumed":
      node(state, path).resumed = true;
      return;
    case "process":
      node(state, path).process = data;
      return;
    case "checkpoint":
      node(state, path).checkpoint = data.value;
      return;
    case "retry":
      Object.assign(node(state, path), { status: "retrying", retryAt: data.at, error: data.error });
      return;
    case "waiting":
      begin(state, path, { status: "waiting", attempt: 1, wait: data });
      return;
    case "entered":
      begin(state, path, { status: "entered", attempt: 0, enteredAt: data.at });
      return;
    case "loop": {
      const { items, at, maxParallel = 1 } = data;
      const loop: LoopState = { items, enteredAt: at, maxParallel, outputs: [], firstOpen: 0, begun: 0 };
      begin(state, path, { status: "entered", attempt: 0, loop });
      return;
    }
    case "called":
      begin(state, path, { status: "entered", attempt: 0, call: data });
      keepForUndoing(state, path, data.undo);
      return;
    case "succeeded":
      if (data.signal !== undefined) state.signals.add(data.signal);
      end(state, path, { status: "succeeded", output: data.output });
      return;
    case "failed":
      end(state, path, { status: "failed", error: data.error });
      return;
    case "skipped":
      end(state, path, { status: "skipped" });
      return;
  }
}

function node(state: RunState, path: string): NodeState {
  const found = state.nodes.get(path);
  if (found === undefined) throw new Error(`the journal speaks of ${path} before its beginning`);
  return found;
}

function begin(state: RunState, path: string, begun: NodeState): void {
  state.nodes.set(path, begun);
  noteItem(state, path);
}

// The first thing that happens inside an item is its beginning.
function noteItem(state: RunState, path: string): void {
  if (!path.includes("/items/")) return;
  for (const match of path.matchAll(/\/items\/(\d+)(?=\/|$)/g)) {
    const loop = state.nodes.get(path.slice(0, match.index))?.loop;
    if (loop !== undefined) loop.begun = Math.max(loop.begun, Number(match[1]) + 1);
  }
}

function keepForUndoing(state: RunState, path: string, fixed: JsonObject | undefined): void {
  // A further attempt keeps its place in the order of start, and what was promised to the first one.
  if (fixed === undefined || state.undoables.has(path)) return;
  state.undoables.set(path, { fixed, output: null, status: "running" });
}

function end(state: RunState, path: string, result: Pick<NodeState, "status" | "output" | "error">): void {
  const before = state.nodes.get(path);
  const isStep = before?.begun !== undefined || before?.wait !== undefined;
  if (!isStep) forgetInside(state, path);
  noteItem(state, path);
  if (path.endsWith("/undo")) state.undoables.delete(path.slice(0, -"/undo".length));
  const undoable = state.undoables.get(path);
  if (undoable !== undefined) {
    undoable.status = result.status === "succeeded" ? "succeeded" : "failed";
    undoable.output = result.output ?? null;
    // A workflow that has its own `undo` is undone by that, and no longer from inside.
    forgetWithin(state.undoables, path);
  }
  const loop = loopOf(state, path);
  if (loop === undefined) {
    state.nodes.set(path, { ...result, attempt: before?.attempt ?? 0 });
    return;
  }
  const [, above, index] = itemPath.exec(path)!;
  loop.outputs[Number(index)] = result.status === "succeeded" ? result.output! : null;
  while (loop.outputs[loop.firstOpen] !== undefined) loop.firstOpen += 1;
  if (result.error === undefined) return;
  loop.error ??= result.error;
  if (isAborted(state, above!, result.error)) loop.aborted = true;
}

const itemPath = /^(.*)\/items\/(\d+)$/;

/** The loop that a path is an item of. */
function loopOf(state: RunState, path: string): LoopState | undefined {
  const above = itemPath.exec(path)?.[1];
  return above === undefined ? undefined : node(state, above).loop!;
}

/** Whether a failure below this place is nothing but an abort of it or of what surrounds it. */
function isAborted({ aborts }: RunState, path: string, error: Failure): boolean {
  for (const [above, abort] of aborts)
    if ((above === "" || path === above || path.startsWith(`${above}/`)) && isSame(error, abort)) return true;
  return false;
}

/** Whether one failure tells of the other: on its way it may have been given the id of the step it came from. */
export function isSame(one: Failure, other: Failure | undefined): boolean {
  return other !== undefined && one.code === other.code && one.message === other.message;
}

// What lies inside an ended place is never asked for again, so a long loop does not grow the state. What may have to be
// undone stays.
function forgetInside(state: RunState, path: string): void {
  forgetWithin(state.nodes, path);
  for (const map of [state.aborts, state.failing]) {
    map.delete(path);
    forgetWithin(map, path);
  }
}

function forgetWithin(map: Map<string, unknown>, path: string): void {
  for (const inner of map.keys()) if (inner.startsWith(`${path}/`)) map.delete(inner);
}
