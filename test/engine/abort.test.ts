// Steps that run at the same time, in any order of completion, with a cancel, an abort and crashes at any moment: what
// must hold whatever happens, said as invariants.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Entry } from "../../host/engine/records.ts";
import { carryOut, choices, type Happening, stepAt, type Told, type Written, written } from "./carry-out.ts";

test("whatever ends in whatever order, with a cancel, an abort and crashes at any moment, the rules hold", () => {
  fc.assert(
    fc.property(written, choices, (workflow, chosen) => {
      const told = carryOut(workflow, chosen);
      assertEndsOnce(told.journal);
      assertNothingBeginsAgain(told.happened);
      assertNothingNewAfterStop(told.happened);
      assertFailureStopsSiblings(workflow, told.happened);
      assertItemsWithin(workflow, told.mostOpen);
      assertUndone(workflow, told);
      assertUndoneInReverse(workflow, told.journal);
      assertCleanedUp(workflow, told.journal);
      assertStatus(workflow, told);
    }),
    { numRuns: 1500 },
  );
});

test("crashes change nothing: the journal is that of the same run without", () => {
  fc.assert(
    fc.property(written, choices, (workflow, chosen) => {
      const { journal } = carryOut(workflow, chosen);
      assert.deepEqual(journal, carryOut(workflow, { ...chosen, crashes: new Set() }).journal);
    }),
    { numRuns: 500 },
  );
});

const isCleaning = (path: string) => /(?:^|\/)(?:onFailure|finally)\//.test(path) || path.endsWith("/undo");
const isBelow = (path: string, above: string) => above === "" || path === above || path.startsWith(`${above}/`);
const pathsOf = (journal: Entry[], kind: Entry["kind"]) =>
  journal.filter((entry) => entry.kind === kind).map(({ path }) => path);

function assertEndsOnce(journal: Entry[]): void {
  const ends = journal.filter(({ kind }) => ["succeeded", "failed", "skipped"].includes(kind)).map(({ path }) => path);
  assert.equal(new Set(ends).size, ends.length, "a place ended twice");
  assert.equal(pathsOf(journal, "ended").length, 1);
}

const isEnd = ({ what }: Happening) => what === "succeeded" || what === "failed" || what === "aborted";

function assertNothingBeginsAgain(happened: Happening[]): void {
  const ended = new Set<string>();
  for (const event of happened) {
    if (isEnd(event)) ended.add(event.path);
    if (event.what === "begun") assert.ok(!ended.has(event.path), `${event.path} began again`);
  }
}

function assertNothingNewAfterStop(happened: Happening[]): void {
  for (const [at, { what, path: stopped }] of happened.entries()) {
    if (what !== "stopped") continue;
    const known = new Set(happened.slice(0, at).map(({ path }) => path));
    for (const { what, path } of happened.slice(at))
      if (what === "begun" && isBelow(path, stopped) && !isCleaning(path.slice(stopped.length)))
        assert.ok(known.has(path), `${path} began after ${stopped} was to end`);
  }
}

/** After a failure in one of several lists or items, nothing begins beside it, if it must not go on there. */
function assertFailureStopsSiblings(workflow: Written, happened: Happening[]): void {
  for (const [at, { what, path }] of happened.entries()) {
    if (what !== "failed" || isCleaning(path) || stepAt(workflow, path).continueOnError) continue;
    // The failed step stands right in the list or the item itself.
    const around = /^(.*)\/(?:parallel\/\d+\/\d+|items\/\d+\/steps\/\d+)$/.exec(path)?.[1];
    if (around === undefined || stepAt(workflow, around).continueOnError) continue;
    const known = new Set(happened.slice(0, at).map(({ path }) => path));
    for (const later of happened.slice(at))
      if (later.what === "begun" && isBelow(later.path, around) && !isCleaning(later.path.slice(around.length)))
        assert.ok(known.has(later.path), `${later.path} began after ${path} had failed`);
  }
}

function assertItemsWithin(workflow: Written, mostOpen: Map<string, number>): void {
  for (const [path, most] of mostOpen)
    assert.ok(most <= (stepAt(workflow, path).maxParallel as number), `${most} items of ${path} at once`);
}

/** A failed run has undone all it did, as far as it could be undone; a run that is fine only what failed by itself. */
function assertUndone(workflow: Written, { journal, state }: Told): void {
  const begun = new Set(pathsOf(journal, "running"));
  const undone = [...begun].filter((path) => path.endsWith("/undo")).map((path) => path.slice(0, -"/undo".length));
  for (const path of undone) assert.ok(begun.has(path), `${path} was undone and never begun`);
  // Where only a `finally` of the workflow fails, what was done stands; here those always work.
  const failures = [...pathsOf(journal, "failing"), ...pathsOf(journal, "failed")];
  for (const path of begun) {
    if (isCleaning(path) || stepAt(workflow, path).undo === undefined) continue;
    const fatal = state.ended!.status !== "succeeded" || failures.includes(path);
    if (fatal) assert.ok(undone.includes(path), `${path} was not undone`);
    else if (undone.includes(path))
      assert.ok(
        failures.some((failure) => isBelow(path, failure)),
        `${path} was undone for nothing`,
      );
  }
}

/** Of what stands in one body, the last begun is undone first. */
function assertUndoneInReverse(workflow: Written, journal: Entry[]): void {
  const failed = new Set(pathsOf(journal, "failed"));
  const begun = new Map<string, number>();
  const undone: string[] = [];
  for (const [at, { kind, path }] of journal.entries()) {
    if (kind !== "running") continue;
    if (path.endsWith("/undo")) undone.push(path.slice(0, -"/undo".length));
    else if (!isCleaning(path) && stepAt(workflow, path).undo !== undefined) begun.set(path, at);
  }
  for (const [at, path] of undone.entries()) {
    // One that failed where the rest goes on is undone by itself.
    if (failed.has(path) && stepAt(workflow, path).continueOnError) continue;
    const body = path.replace(/\/?(?:steps|parallel\/\d+)\/\d+$/, "");
    for (const [other, since] of begun)
      if (since > begun.get(path)! && isBelow(other, body))
        assert.ok(undone.indexOf(other) < at && undone.includes(other), `${path} was undone before ${other}`);
  }
}

/** Every body that was entered has run its `finally`, and its `onFailure` where its steps failed. */
function assertCleanedUp(workflow: Written, journal: Entry[]): void {
  const begun = new Set(pathsOf(journal, "running"));
  const bodies = new Set<string>([""]);
  for (const { kind, path } of journal) {
    if (kind === "entered") bodies.add(path);
    for (const { 0: item, index } of path.matchAll(/\/items\/\d+/g)) bodies.add(path.slice(0, index + item.length));
  }
  const failing = new Set(pathsOf(journal, "failing"));
  for (const body of bodies) {
    const prefix = body === "" ? "" : `${body}/`;
    const node = body === "" ? { finally: [{}] } : stepAt(workflow, body);
    if (node.finally !== undefined) assert.ok(begun.has(`${prefix}finally/0`), `${body} has no finally`);
    const handled = begun.has(`${prefix}onFailure/0`);
    if ("onFailure" in node) assert.equal(handled, failing.has(body), `onFailure of ${body}`);
  }
}

/** The first reason counts: a failure that nothing goes on after, or a cancel that still met something. */
function assertStatus(workflow: Written, { happened, state }: Told): void {
  const { status, error } = state.ended!;
  const cancelAt = happened.findIndex(({ what, path }) => what === "stopped" && path === "");
  const fatalAt = happened.findIndex(({ what, path }) => what === "failed" && isFatal(workflow, path));
  const isFirst = (at: number, other: number) => at >= 0 && (other < 0 || at < other);
  // A failure is that of the run when what lies between has cleaned up.
  const isPlain = !/"(?:undo|finally)"/.test(JSON.stringify([workflow.steps, ...workflow.called.values()]));
  if (isFirst(fatalAt, cancelAt) && isPlain) assert.equal(status, "failed", "a fatal failure came first");
  const met = happened.some((event) => event.what === "aborted" && event.code === "RUN_CANCELLED");
  if (met && fatalAt < 0) assert.equal(status, "cancelled", "what was under way was told to end");
  if (status === "cancelled") assert.ok(cancelAt >= 0 && error!.code === "RUN_CANCELLED");
  if (!happened.some(({ what }) => what === "stopped")) assert.equal(status, fatalAt < 0 ? "succeeded" : "failed");
}

/** Whether nothing goes on after a step that failed there, up to the run itself. */
function isFatal(workflow: Written, path: string): boolean {
  if (isCleaning(path)) return false;
  for (let place = path; place !== ""; place = place.replace(/\/?[^/]+\/\d+$|\/call$|\/?parallel\/\d+\/\d+$/, ""))
    if (!/\/(?:call|items\/\d+)$/.test(place) && stepAt(workflow, place).continueOnError) return false;
  return true;
}
