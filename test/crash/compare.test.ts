// The comparison behind the crash matrix notices what it is there for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compare } from "./matrix.ts";
import type { JournalRow, Outcome } from "./play.ts";

const row = (kind: string, path: string, act = ""): JournalRow => ({
  kind,
  path,
  at: 0,
  data: act === "" ? "{}" : JSON.stringify({ command: ["/bin/sh", "-c", `echo 'run-1 ${act}' >> effects`] }),
});

function outcome(changes: Partial<Outcome> = {}): Outcome {
  return {
    status: "succeeded",
    code: undefined,
    output: { a: 1 },
    journal: [
      row("started", ""),
      row("running", "steps/0", "one"),
      row("succeeded", "steps/0"),
      row("running", "steps/1", "two"),
      row("succeeded", "steps/1"),
      row("ended", ""),
    ],
    effects: new Map([
      ["one", 1],
      ["two", 1],
    ]),
    newer: { status: "succeeded", beganAfter: true, acted: ["newer"] },
    deaths: [3],
    late: 0,
    ...changes,
  };
}

const journal = outcome().journal;
const inserted = (at: number, ...rows: JournalRow[]) => [...journal.slice(0, at), ...rows, ...journal.slice(at)];

test("an outcome like the undisturbed one passes, and so does an attempt that was repeated", () => {
  compare(outcome(), outcome(), [3]);
  compare(
    outcome({
      journal: inserted(2, row("resumed", "steps/0")),
      effects: new Map([
        ["one", 2],
        ["two", 1],
      ]),
    }),
    outcome(),
    [2],
  );
});

const violations: [what: string, changes: Partial<Outcome>][] = [
  ["another status", { status: "failed" }],
  ["another error", { code: "X" }],
  ["another output", { output: {} }],
  ["a newer run that began too early", { newer: { status: "succeeded", beganAfter: false, acted: ["newer"] } }],
  ["a newer run that never was", { newer: undefined }],
  ["no end", { journal: journal.slice(0, -1) }],
  ["two ends", { journal: [...journal, row("ended", "")] }],
  ["a step that is missing", { journal: journal.toSpliced(3, 2) }],
  ["a step that ended twice", { journal: inserted(3, row("succeeded", "steps/0")) }],
  ["a finished step that begins again", { journal: inserted(3, row("resumed", "steps/0")) }],
  ["a step that failed instead", { journal: journal.with(2, row("failed", "steps/0")) }],
  ["a step that never acted", { effects: new Map([["one", 1]]) }],
  ["a step that acted twice unasked", { effects: new Map([...outcome().effects, ["two", 2]]) }],
  ["a step that acted and should not", { effects: new Map([...outcome().effects, ["three", 1]]) }],
];

for (const [what, changes] of violations)
  test(`${what} is noticed`, () => {
    assert.throws(() => compare(outcome(changes), outcome(), [3]), assert.AssertionError);
  });
