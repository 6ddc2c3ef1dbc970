import assert from "node:assert/strict";
import { test } from "node:test";
import { storyOf } from "../../host/commands/story.ts";
import type { Entry } from "../../host/engine/records.ts";
import type { JournalRecord } from "../../host/store/store.ts";

const journal = (...entries: [at: number, entry: Entry][]): JournalRecord[] =>
  entries.map(([at, { kind, path, data }], index) => ({ sequence: index + 1, at, kind, path, data: data as never }));

const running = (path: string, attempt = 1): Entry => ({ kind: "running", path, data: { attempt, input: {} } });
const succeeded = (path: string): Entry => ({ kind: "succeeded", path, data: { output: {} } });
const error = { code: "BAD", message: "bad", retryable: true };

test("an item stands before what is inside it, from its first beginning to its end", () => {
  const story = storyOf(
    journal(
      [0, { kind: "loop", path: "steps/0", data: { items: [1, 2], at: 0 } }],
      [1, running("steps/0/items/0/steps/0")],
      [5, succeeded("steps/0/items/0/steps/0")],
      [5, succeeded("steps/0/items/0")],
      [6, { kind: "loop", path: "steps/0/items/1/steps/0", data: { items: [1], at: 6 } }],
      [7, running("steps/0/items/1/steps/0/items/0/steps/0")],
    ),
  );
  assert.deepEqual(
    story.map(({ path, status, beganAt, endedAt }) => [path, status, beganAt, endedAt]),
    [
      ["steps/0", "running", 0, undefined],
      ["steps/0/items/0", "succeeded", 1, 5],
      ["steps/0/items/0/steps/0", "succeeded", 1, 5],
      ["steps/0/items/1", "running", 6, undefined],
      ["steps/0/items/1/steps/0", "running", 6, undefined],
      ["steps/0/items/1/steps/0/items/0", "running", 7, undefined],
      ["steps/0/items/1/steps/0/items/0/steps/0", "running", 7, undefined],
    ],
  );
});

test("work and waits between attempts follow each other, and the last error goes with success", () => {
  const [place] = storyOf(
    journal(
      [0, running("steps/0")],
      [10, { kind: "retry", path: "steps/0", data: { error, at: 20 } }],
      [20, running("steps/0", 2)],
      [25, { kind: "resumed", path: "steps/0", data: {} }],
      [30, succeeded("steps/0")],
    ),
  );
  assert.deepEqual(place, {
    path: "steps/0",
    status: "succeeded",
    attempts: 2,
    beganAt: 0,
    endedAt: 30,
    spans: [
      { from: 0, to: 10, kind: "work" },
      { from: 10, to: 20, kind: "wait" },
      { from: 20, to: 30, kind: "work" },
    ],
    error: undefined,
    resumed: true,
  });
});
