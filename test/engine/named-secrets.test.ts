// Secrets of the device that a document names: read for each attempt, and never a part of what is written.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Run } from "../../host/store/store.ts";
import { act, Bench, type Document, Stage, type Work } from "./bench.ts";

const name = "GANTRY_SECRET_BENCH_TOKEN";
const secret = { $secret: "BENCH_TOKEN" };
const value = 'a "token" of/the device';

/** Runs the document with the secret set; gives what the step `t/take` was given, whatever the run's end. */
async function given(document: Document, called: Record<string, Document> = {}) {
  const stage = new Stage();
  const taken: unknown[] = [];
  let seen: { taken: unknown[]; run: Run; written: string } | undefined;
  const take: Work = async (input, { log, progress }) => {
    taken.push(input);
    const { token } = input as { token: string };
    log.info(`with ${token}`);
    progress({ message: `with ${token}` });
    return { told: `with ${token}` };
  };
  process.env[name] = value;
  try {
    await Bench.with({ ...stage.steps, "t/take": take }, async (bench) => {
      const run = await bench.run(document, {}, called);
      const written = JSON.stringify([
        bench.journal(run.id),
        run,
        bench.events,
        bench.stepEvents,
        bench.progressEvents,
      ]);
      for (const text of [written, bench.log, JSON.stringify(stage.told)]) {
        assert.ok(!text.includes(value), text);
        assert.ok(!text.includes(JSON.stringify(value).slice(1, -1)), text);
      }
      seen = { taken, run, written };
    });
    return seen!;
  } finally {
    delete process.env[name];
  }
}

test("a step, its undo and its report of progress get the value, also in a workflow that is called", async () => {
  const inner: Document = { steps: [{ uses: "t/take", with: { token: secret, at: "inner" } }] };
  const { taken, written } = await given(
    {
      steps: [
        {
          ...act("one"),
          onProgress: act("${{ progress.message }}"),
          undo: { uses: "t/take", with: { token: secret, at: "undo" } },
        },
        {
          uses: "t/take",
          with: { token: secret, list: [1, secret], at: "step" },
          onProgress: { uses: "t/take", with: { token: secret, at: "progress" } },
        },
        { uses: "workflow:inner" },
        { uses: "t/fail", with: { name: "at the end" } },
      ],
    },
    { inner },
  );
  assert.deepEqual(taken, [
    { token: value, list: [1, value], at: "step" },
    { token: value, at: "progress" },
    { token: value, at: "inner" },
    { token: value, at: "undo" },
  ]);
  assert.match(written, /\{"\$secret":"BENCH_TOKEN"\}/);
});

test("a reference that an expression gives is data, and never looked up", async () => {
  const { taken } = await given({
    vars: { text: JSON.stringify(secret) },
    steps: [{ uses: "t/take", with: { token: "${{ fromJSON(vars.text) }}" } }],
  });
  assert.deepEqual(taken, [{ token: secret }]);
});

test("one that is missing fails the step, and can be had by the next run", async () => {
  const steps: Document["steps"] = [{ uses: "t/take", with: { token: { $secret: "BENCH_OTHER" } } }];
  const { taken, run } = await given({ steps });
  assert.deepEqual([taken, run.error?.code, run.error?.retryable], [[], "SECRET_MISSING", false]);
  process.env.BENCH_OTHER = "there now";
  try {
    assert.deepEqual((await given({ steps })).taken, [{ token: "there now" }]);
  } finally {
    delete process.env.BENCH_OTHER;
  }
});
