// Random workflows whose steps run at the same time, and a host without a clock, a store or plugins that carries them
// out: it ends steps in any order, cancels and aborts at any moment, and forgets everything but the journal.

import assert from "node:assert/strict";
import fc from "fast-check";
import { plan } from "../../host/engine/plan.ts";
import type { Plan } from "../../host/engine/plan-draft.ts";
import { compileProgram } from "../../host/engine/program.ts";
import type { Entry } from "../../host/engine/records.ts";
import { applyRecord, emptyState, type RunState } from "../../host/engine/state.ts";
import type { Failure } from "../../host/errors.ts";
import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";

export interface Written {
  steps: WorkflowStep[];
  /** The workflows they call, by name. */
  called: Map<string, Workflow>;
}

// ---- random workflows: each step's `uses` says whether it works ----

/** A call carries what it calls until the whole is put together. */
type Draft = WorkflowStep & { calls?: WorkflowStep[] };

const flags = { continueOnError: fc.boolean(), clean: fc.boolean() };

const { list } = fc.letrec<{ step: Draft; list: Draft[]; lists: [Draft[], ...Draft[][]] }>((tie) => ({
  list: fc.array(tie("step"), { minLength: 1, maxLength: 3 }),
  lists: fc.array(tie("list"), { minLength: 1, maxLength: 3 }) as fc.Arbitrary<[Draft[], ...Draft[][]]>,
  step: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({ works: fc.boolean(), continueOnError: fc.boolean(), undo: fc.boolean() }).map(
      ({ works, continueOnError, undo }) =>
        ({
          uses: works ? "t/works" : "t/fails",
          continueOnError,
          ...(undo ? { undo: { uses: "t/undo" } } : {}),
        }) as Draft,
    ),
    fc.nat(8).map((ms): Draft => ({ uses: "host/wait", with: { duration: `${ms}ms` } })),
    fc
      .record({ steps: tie("list"), abortable: fc.boolean(), ...flags })
      .map(({ steps, continueOnError, clean, abortable }) =>
        withCleaning({ steps, continueOnError, ...(abortable ? { abortOn: "stop" } : {}) }, clean),
      ),
    fc
      .record({ parallel: tie("lists"), ...flags })
      .map(({ parallel, continueOnError, clean }) => withCleaning({ parallel, continueOnError }, clean)),
    fc
      .record({ steps: tie("list"), items: fc.nat(4), most: fc.integer({ min: 1, max: 3 }), ...flags })
      .map(({ steps, items, most, continueOnError, clean }) => {
        const forEach = Array.from({ length: items }, (_, n) => n);
        return withCleaning({ forEach, maxParallel: most, steps, continueOnError }, clean);
      }),
    fc
      .record({ calls: tie("list"), continueOnError: fc.boolean() })
      .map(({ calls, continueOnError }): Draft => ({ calls, continueOnError })),
  ),
}));

function withCleaning(body: WorkflowStep, clean: boolean): WorkflowStep {
  if (!clean) return body;
  return { ...body, onFailure: [{ uses: "t/works" }], finally: [{ uses: "t/works" }] };
}

export const written: fc.Arbitrary<Written> = list.map((drafts) => {
  const called = new Map<string, Workflow>();
  const put = ({ calls, ...step }: Draft): WorkflowStep => {
    if (calls !== undefined) {
      const name = `w${called.size}`;
      called.set(name, { name, steps: [] });
      called.set(name, { name, steps: calls.map(put) });
      return { ...step, uses: `workflow:${name}` };
    }
    const { steps, parallel } = step;
    return {
      ...step,
      ...(steps === undefined ? {} : { steps: steps.map(put) }),
      ...(parallel === undefined ? {} : { parallel: parallel.map((of) => of.map(put)) as typeof parallel }),
    };
  };
  return { steps: drafts.map(put), called };
});

/** The step at a path of the journal, or the workflow called there. */
export function stepAt({ steps, called }: Written, path: string): WorkflowStep {
  let node: unknown = { steps };
  for (const word of path.replace(/\/items\/\d+/g, "").split("/"))
    node =
      word === "call"
        ? called.get((node as WorkflowStep).uses!.slice("workflow:".length))
        : (node as Record<string, unknown>)[word];
  return node as WorkflowStep;
}

// ---- a run of one ----

/** What happened, in order. */
export type Happening =
  | { what: "begun" | "succeeded" | "failed" | "repeated"; path: string }
  /** A step was told to end, for the reason of this code, and did. */
  | { what: "aborted"; path: string; code: string }
  /** Nothing below this path is to begin any more. */
  | { what: "stopped"; path: string };

export interface Choices {
  /** Which of those under way ends next. */
  order: number[];
  /** The turn at which the run is cancelled. */
  cancelAt: number;
  /** The turn at which something that a signal would abort is aborted. */
  abortAt: number;
  /** Turns after which everything in memory is lost. */
  crashes: Set<number>;
}

export const choices: fc.Arbitrary<Choices> = fc.record({
  order: fc.array(fc.nat(20), { minLength: 1, maxLength: 20 }),
  // Before its first turn a run has nothing to clean up.
  cancelAt: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(-1)),
  abortAt: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(-1)),
  crashes: fc.array(fc.nat(60), { maxLength: 6 }).map((turns) => new Set(turns)),
});

const failed: Failure = { code: "NO", message: "no", retryable: false };
const cancelled: Failure = { code: "RUN_CANCELLED", message: "cancelled", retryable: false };
const stopped: Failure = { code: "ABORTED", message: "the signal stop came", retryable: false };

export interface Told {
  state: RunState;
  journal: Entry[];
  happened: Happening[];
  /** How many items of each loop were under way at once, at most. */
  mostOpen: Map<string, number>;
}

export function carryOut(of: Written, { order, cancelAt, abortAt, crashes }: Choices): Told {
  const document = { name: "w", steps: of.steps, finally: [{ uses: "t/works" }] } as Workflow;
  const program = compileProgram(document, of.called);
  const journal: Entry[] = [];
  const happened: Happening[] = [];
  const mostOpen = new Map<string, number>();
  let state = emptyState();
  let open = new Map<string, string>();
  let now = 0;
  // As the host does: what happened and what follows from it is one commit.
  const advance = (...entries: Entry[]): Plan => {
    for (const entry of entries) applyRecord(state, entry);
    const next = plan(program, state, {}, now);
    journal.push(...[...entries, ...next.records].map(copy));
    for (const { path, action } of next.attempts) {
      if (!open.has(path)) happened.push({ what: "begun", path });
      open.set(path, action.uses);
    }
    countItems(open, mostOpen);
    return next;
  };
  const stop = (path: string, error: Failure) => {
    happened.push({ what: "stopped", path });
    return advance({ kind: "aborting", path, data: { error } });
  };
  let next = advance();
  for (let turn = 1; state.ended === undefined; turn++) {
    assert.ok(turn < 5000, "the run never ends");
    if (crashes.has(turn)) {
      state = emptyState();
      for (const entry of journal) applyRecord(state, copy(entry));
      for (const path of open.keys()) happened.push({ what: "repeated", path });
      open = new Map();
      next = advance();
    }
    now = turn;
    const abortable = next.listening.map(({ path }) => path);
    if (turn === cancelAt) next = stop("", cancelled);
    else if (turn === abortAt && abortable.length > 0) next = stop(abortable[turn % abortable.length]!, stopped);
    // What is told to end does so at once; else one of those under way ends.
    const [abort] = next.aborts;
    const path = abort?.path ?? [...open.keys()].sort()[order[turn % order.length]! % Math.max(1, open.size)];
    if (path === undefined) {
      assert.ok(next.wakeAt !== undefined || state.ended, "nothing is under way and nothing is waited for");
      next = advance();
      continue;
    }
    const error = abort !== undefined ? abort.error : open.get(path) === "t/fails" ? failed : undefined;
    open.delete(path);
    if (abort !== undefined) happened.push({ what: "aborted", path, code: abort.error.code });
    else happened.push({ what: error === undefined ? "succeeded" : "failed", path });
    if (error === undefined) next = advance({ kind: "succeeded", path, data: { output: {} } });
    else next = advance({ kind: "failed", path, data: { error } });
  }
  assert.equal(open.size, 0, "the run ended while something was under way");
  return { state, journal, happened, mostOpen };
}

const copy = (entry: Entry) => JSON.parse(JSON.stringify(entry)) as Entry;

function countItems(open: ReadonlyMap<string, string>, most: Map<string, number>): void {
  const items = new Map<string, Set<string>>();
  for (const path of open.keys())
    for (const { index, 1: item } of path.matchAll(/\/items\/(\d+)/g)) {
      const loop = path.slice(0, index);
      items.set(loop, (items.get(loop) ?? new Set()).add(item!));
    }
  for (const [loop, { size }] of items) most.set(loop, Math.max(size, most.get(loop) ?? 0));
}
