import type { Failure } from "../errors.ts";
import type { Json } from "../sdk.ts";
import type { Entry, ProcessIdentity, RecordData } from "./records.ts";

/** Where one place of the workflow stands. */
export interface NodeState {
  status: "running" | "retrying" | "entered" | "succeeded" | "failed" | "skipped";
  /** The attempt under way or, once ended, the last one; counts from 1. */
  attempt: number;
  begun?: RecordData["running"];
  /** This attempt was begun by an earlier host, which left it without a result. */
  resumed?: true;
  process?: ProcessIdentity;
  checkpoint?: Json;
  retryAt?: number;
  output?: Json;
  error?: Failure;
  loop?: LoopState;
}

/** How far a `forEach` has come. */
export interface LoopState {
  items: Json[];
  /** What the ended items gave, in order; null for a failed one. */
  outputs: Json[];
  /** Why the last ended item failed, if it did. */
  error?: Failure;
}

export interface RunState {
  nodes: Map<string, NodeState>;
  /** Undefined until the run left the queue. */
  vars: Json | undefined;
  ended: RecordData["ended"] | undefined;
}

export function emptyState(): RunState {
  return { nodes: new Map(), vars: undefined, ended: undefined };
}

/** The state after one more record. The only place where a run's state changes. */
export function applyRecord(state: RunState, { kind, path, data }: Entry): void {
  switch (kind) {
    case "started":
      state.vars = data.vars;
      return;
    case "ended":
      state.ended = data;
      return;
    case "running": {
      const before = state.nodes.get(path);
      state.nodes.set(path, {
        status: "running",
        attempt: data.attempt,
        begun: data,
        ...(before?.checkpoint === undefined ? {} : { checkpoint: before.checkpoint }),
      });
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
    case "entered":
      state.nodes.set(path, { status: "entered", attempt: 0 });
      return;
    case "loop":
      state.nodes.set(path, { status: "entered", attempt: 0, loop: { items: data.items, outputs: [] } });
      return;
    case "succeeded":
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

function end(state: RunState, path: string, result: Pick<NodeState, "status" | "output" | "error">): void {
  const before = state.nodes.get(path);
  if (before?.begun === undefined) forgetInside(state, path);
  const item = /^(.*)\/items\/\d+$/.exec(path);
  if (item === null) {
    state.nodes.set(path, { ...result, attempt: before?.attempt ?? 0 });
    return;
  }
  const loop = node(state, item[1]!).loop!;
  loop.outputs.push(result.status === "succeeded" ? result.output! : null);
  if (result.error === undefined) delete loop.error;
  else loop.error = result.error;
}

// What lies inside an ended place is never asked for again, so a long loop does not grow the state.
function forgetInside(state: RunState, path: string): void {
  for (const inner of state.nodes.keys()) if (inner.startsWith(`${path}/`)) state.nodes.delete(inner);
}
