// Steps that run at the same time, in any order of completion, with a cancel and crashes at any moment: what must hold
// whatever happens, said as invariants.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Plan, plan } from "../../host/engine/plan.ts";
import { compileProgram } from "../../host/engine/program.ts";
import type { Entry } from "../../host/engine/records.ts";
import { applyRecord, emptyState, type RunState } from "../../host/engine/state.ts";
import type { Failure } from "../../host/errors.ts";
import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";

// ---- random workflows: each step's `uses` says whether it works ----

const { step } = fc.letrec<{ step: WorkflowStep; list: WorkflowStep[]; lists: [WorkflowStep[], ...WorkflowStep[][]] }>(
  (tie) => ({
    list: fc.array(tie("step"), { minLength: 1, maxLength: 3 }),
    lists: fc.array(tie("list"), { minLength: 1, maxLength: 3 }) as fc.Arbitrary<[WorkflowStep[], ...WorkflowStep[][]]>,
    step: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.record({ works: fc.boolean(), continueOnError: fc.boolean(), undo: fc.boolean() }).map(
        ({ works, continueOnError, undo }) =>
          ({
            uses: works ? "t/works" : "t/fails",
            continueOnError,
            ...(undo ? { undo: { uses: "t/undo" } } : {}),
          }) as WorkflowStep,
      ),
      fc
        .record({ steps: tie("list"), continueOnError: fc.boolean(), clean: fc.boolean() })
        .map(({ steps, continueOnError, clean }) => withCleaning({ steps, continueOnError }, clean)),
      fc
        .record({ parallel: tie("lists"), continueOnError: fc.boolean(), clean: fc.boolean() })
        .map(({ parallel, continueOnError, clean }) => withCleaning({ parallel, continueOnError }, clean)),
      fc
        .record({ steps: tie("list"), items: fc.nat(4), most: fc.integer({ min: 1, max: 3 }), clean: fc.boolean() })
        .map(({ steps, items, most, clean }) =>
          withCleaning({ forEach: Array.from({ length: items }, (_, n) => n), maxParallel: most, steps }, clean),
        ),
    ),
  }),
);

function withCleaning(body: WorkflowStep, clean: boolean): WorkflowStep {
  if (!clean) return body;
  return { ...body, onFailure: [{ uses: "t/works" }], finally: [{ uses: "t/works" }] };
}

// ---- a run of it ----

interface Attempt {
  path: string;
  uses: string;
}

/** What happened, in order. */
type Happening = { what: "begun" | "ended" | "repeated"; path: string } | { what: "cancelled" };

interface Choices {
  order: number[];
  cancelAt: number;
  crashes: Set<number>;
}

function carryOut(steps: WorkflowStep[], { order, cancelAt, crashes }: Choices) {
  const program = compileProgram({ name: "w", steps, finally: [{ uses: "t/works" }] } as Workflow);
  const journal: Entry[] = [];
  const happened: Happening[] = [];
  let state = emptyState();
  let open = new Map<string, Attempt>();
  const note = (entry: Entry) => {
    applyRecord(state, entry);
    journal.push(JSON.parse(JSON.stringify(entry)) as Entry);
  };
  let mostOpen = new Map<string, number>();
  for (let turn = 0; state.ended === undefined; turn++) {
    assert.ok(turn < 5000, "the run never ends");
    if (turn === cancelAt) {
      happened.push({ what: "cancelled" });
      note({ kind: "aborting", path: "", data: { error: cancelled } });
    }
    const next: Plan = plan(program, state, {}, turn);
    journal.push(...(JSON.parse(JSON.stringify(next.records)) as Entry[]));
    for (const { path, action } of next.attempts) {
      if (open.has(path)) continue;
      happened.push({ what: "begun", path });
      open.set(path, { path, uses: action.uses });
    }
    mostOpen = maximum(mostOpen, itemsOpen(open));
    if (state.ended !== undefined) break;
    if (crashes.has(turn)) {
      state = emptyState();
      for (const entry of journal) applyRecord(state, structuredClone(entry));
      for (const path of open.keys()) happened.push({ what: "repeated", path });
      open = new Map();
      continue;
    }
    // What is told to end does so at once, as failed; else one of those under way ends.
    const [abort] = next.aborts;
    const picked = abort ?? [...open.values()][order[turn % order.length]! % Math.max(1, open.size)];
    assert.ok(picked !== undefined, "nothing is under way and nothing is waited for");
    open.delete(picked.path);
    happened.push({ what: "ended", path: picked.path });
    if (abort !== undefined) note({ kind: "failed", path: abort.path, data: { error: abort.error } });
    else if ((picked as Attempt).uses === "t/fails")
      note({ kind: "failed", path: picked.path, data: { error: failed } });
    else note({ kind: "succeeded", path: picked.path, data: { output: {} } });
  }
  assert.equal(open.size, 0, "the run ended while something was under way");
  return { state, journal, happened, mostOpen };
}

const failed: Failure = { code: "NO", message: "no", retryable: false };
const cancelled: Failure = { code: "RUN_CANCELLED", message: "cancelled", retryable: false };

/** How many items of each loop have something under way. */
function itemsOpen(open: ReadonlyMap<string, Attempt>): Map<string, number> {
  const items = new Map<string, Set<string>>();
  for (const path of open.keys())
    for (const { index, 1: item } of path.matchAll(/\/items\/(\d+)/g)) {
      const loop = path.slice(0, index);
      items.set(loop, (items.get(loop) ?? new Set()).add(item!));
    }
  return new Map([...items].map(([loop, { size }]) => [loop, size]));
}

function maximum(one: Map<string, number>, other: Map<string, number>): Map<string, number> {
  const all = new Map(one);
  for (const [key, value] of other) all.set(key, Math.max(value, all.get(key) ?? 0));
  return all;
}

const isCleaning = (path: string) => /(?:^|\/)(?:onFailure|finally)\//.test(path) || path.endsWith("/undo");

function stepAt(steps: WorkflowStep[], path: string): WorkflowStep {
  const words = path.replace(/\/items\/\d+/g, "").split("/");
  let node: unknown = { steps };
  for (const word of words) node = (node as Record<string, unknown>)[word];
  return node as WorkflowStep;
}

const choices = fc.record({
  order: fc.array(fc.nat(20), { minLength: 1, maxLength: 20 }),
  // Before its first turn a run has nothing to clean up.
  cancelAt: fc.integer({ min: 1, max: 40 }),
  crashes: fc.array(fc.nat(60), { maxLength: 6 }).map((turns) => new Set(turns)),
});
const workflow = fc.array(step, { minLength: 1, maxLength: 3 });

test("whatever ends in whatever order, with a cancel and crashes at any moment, the rules hold", () => {
  fc.assert(
    fc.property(workflow, choices, (steps, chosen) => {
      const { state, journal, happened, mostOpen } = carryOut(steps, chosen);
      assertEndsOnce(journal);
      assertNothingBeginsAgain(happened);
      assertNothingNewAfterCancel(happened);
      assertItemsWithin(steps, mostOpen);
      assertUndone(steps, journal, state);
      assertCleanedUp(steps, journal);
    }),
    { numRuns: 600 },
  );
});

function assertEndsOnce(journal: Entry[]): void {
  const ends = journal.filter(({ kind }) => ["succeeded", "failed", "skipped"].includes(kind)).map(({ path }) => path);
  assert.equal(new Set(ends).size, ends.length, "a place ended twice");
  assert.equal(journal.filter(({ kind }) => kind === "ended").length, 1);
}

function assertNothingBeginsAgain(happened: Happening[]): void {
  const ended = new Set<string>();
  for (const event of happened) {
    if (event.what === "ended") ended.add(event.path);
    if (event.what === "begun") assert.ok(!ended.has(event.path), `${event.path} began again`);
  }
}

function assertNothingNewAfterCancel(happened: Happening[]): void {
  const at = happened.findIndex(({ what }) => what === "cancelled");
  if (at < 0) return;
  const known = new Set(happened.slice(0, at).flatMap((event) => ("path" in event ? [event.path] : [])));
  for (const event of happened.slice(at))
    if (event.what === "begun" && !isCleaning(event.path))
      assert.ok(known.has(event.path), `${event.path} began after the cancel`);
}

function assertItemsWithin(steps: WorkflowStep[], mostOpen: Map<string, number>): void {
  for (const [path, most] of mostOpen)
    assert.ok(most <= (stepAt(steps, path).maxParallel as number), `${most} items of ${path} at once`);
}

/** A failed run has undone all it did, as far as it could be undone; each once; a run that is fine has undone nothing
 * but what failed by itself. */
function assertUndone(steps: WorkflowStep[], journal: Entry[], { ended }: RunState): void {
  const begun = new Set(journal.filter(({ kind }) => kind === "running").map(({ path }) => path));
  const undone = [...begun].filter((path) => path.endsWith("/undo")).map((path) => path.slice(0, -"/undo".length));
  for (const path of undone) assert.ok(begun.has(path), `${path} was undone and never begun`);
  if (ended!.status === "succeeded") return;
  // Where only a `finally` of the workflow fails, what was done stands; here those always work.
  for (const path of begun) {
    const at = isCleaning(path) ? undefined : stepAt(steps, path);
    if (at?.undo !== undefined) assert.ok(undone.includes(path), `${path} was not undone`);
  }
}

/** Every body that was entered has run its `finally`, and its `onFailure` where its steps failed. */
function assertCleanedUp(steps: WorkflowStep[], journal: Entry[]): void {
  const begun = new Set(journal.filter(({ kind }) => kind === "running").map(({ path }) => path));
  const bodies = new Set<string>([""]);
  for (const { kind, path } of journal) {
    if (kind === "entered") bodies.add(path);
    for (const { 0: item, index } of path.matchAll(/\/items\/\d+/g)) bodies.add(path.slice(0, index + item.length));
  }
  const failing = new Set(journal.filter(({ kind }) => kind === "failing").map(({ path }) => path));
  for (const body of bodies) {
    const prefix = body === "" ? "" : `${body}/`;
    const node = body === "" ? { finally: [{}] } : stepAt(steps, body);
    if (node.finally !== undefined) assert.ok(begun.has(`${prefix}finally/0`), `${body} has no finally`);
    const handled = begun.has(`${prefix}onFailure/0`);
    if ("onFailure" in node) assert.equal(handled, failing.has(body), `onFailure of ${body}`);
  }
}

test("a cancel is the end of a run, unless its steps were done already", () => {
  fc.assert(
    fc.property(workflow, choices, (steps, chosen) => {
      const { happened, state } = carryOut(steps, chosen);
      const at = happened.findIndex(({ what }) => what === "cancelled");
      const without = carryOut(steps, { ...chosen, cancelAt: -1 });
      const before = happened.slice(0, Math.max(at, 0));
      // Its `finally` or its undoing had begun by then: what it was to be was decided.
      const decided = before.some((event) => "path" in event && /^finally\/|\/undo$/.test(event.path));
      if (at < 0 || decided) return;
      if (state.ended!.status !== "cancelled") assert.equal(state.ended!.status, without.state.ended!.status);
      else assert.equal(state.ended!.error!.code, "RUN_CANCELLED");
      if (before.length > 0 && mainIsOpen(steps, before)) assert.equal(state.ended!.status, "cancelled");
    }),
    { numRuns: 300 },
  );
});

/** Whether the run's own list, of plain steps, has neither failed nor come to its last step. */
function mainIsOpen(steps: WorkflowStep[], before: Happening[]): boolean {
  const last = `steps/${steps.length - 1}`;
  const touched = before.some((event) => "path" in event && event.path.startsWith(last));
  const hasFailed = before.some((event) => event.what === "ended" && isFatal(steps, event.path));
  return steps.length > 1 && !touched && !hasFailed && steps.every(({ uses }) => uses !== undefined);
}

function isFatal(steps: WorkflowStep[], path: string): boolean {
  const { uses, continueOnError } = stepAt(steps, path);
  return uses === "t/fails" && continueOnError !== true;
}
