// One attempt at a step: its time limit, and steps that do not stick to their end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { StepContext } from "../../host/sdk.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { act, Bench, Stage, type Work } from "./bench.ts";

test("a time limit of a month does not end a step at once", async () => {
  const short: Work = async (_, { signal }) => {
    await sleep(30);
    signal.throwIfAborted();
  };
  await Bench.with({ "t/short": short }, async (bench) => {
    const ended = await bench.run({ steps: [{ uses: "t/short", timeout: "30d" }] });
    assert.equal(ended.status, "succeeded", JSON.stringify(ended.error));
  });
});

test("what a step says after its end changes nothing: no checkpoint, no process, no progress, and the run goes on", async () => {
  const stage = new Stage();
  let late: StepContext | undefined;
  const leave: Work = async (_, context) => {
    late = context;
  };
  await Bench.with({ ...stage.steps, "t/leave": leave }, async (bench) => {
    const id = await bench.accept({
      steps: [
        // In a block that has ended by then, too.
        { steps: [{ uses: "t/leave", onProgress: act("progress") }] },
        { uses: "t/hold", with: { name: "next" } },
      ],
    });
    await stage.until("begun next");
    const before = bench.journal(id).length;
    const progressed = bench.progressEvents.length;
    late!.progress({ percent: 50 });
    await late!.checkpoint({ late: true }).catch(() => {});
    await late!.processStarted(process.pid).catch(() => {});
    assert.equal(bench.journal(id).length, before);
    await stage.let("next");
    assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
    assert.deepEqual(stage.told, ["begun next", "ended next"]);
    assert.equal(bench.progressEvents.length, progressed);
  });
});

test("an attempt that is over does not speak for the next one", async () => {
  const contexts: StepContext[] = [];
  const { promise: second, resolve } = Promise.withResolvers<void>();
  const twice: Work = async (_, context) => {
    contexts.push(context);
    if (contexts.length === 1) throw new Error("once more");
    if (contexts.length === 2) {
      await second;
      throw new Error("and again");
    }
    return { last: context.lastCheckpoint ?? null };
  };
  await Bench.with({ "t/twice": twice }, async (bench) => {
    const id = await bench.accept({
      steps: [{ id: "s", uses: "t/twice", retry: { retries: 2, delay: "1ms" } }],
      outputs: "${{ steps.s.outputs.last }}",
    });
    await waitFor("the second attempt", () => contexts.length === 2);
    await contexts[1]!.checkpoint("second");
    await contexts[0]!.checkpoint("first").catch(() => {});
    resolve();
    assert.equal((await bench.engine.waitFor(id)).output, "second");
  });
});

test("a checkpoint is there at the next attempt, and after the host has begun anew", async () => {
  const seen: unknown[] = [];
  const stage = new Stage();
  const work: Work = async (input, context) => {
    seen.push(context.lastCheckpoint);
    await context.checkpoint({ at: seen.length });
    if (seen.length === 1) throw new Error("once more");
    if (seen.length === 2) return stage.steps["t/hold"]!(input, context);
    return {};
  };
  await Bench.with({ "t/work": work }, async (bench) => {
    const id = await bench.accept({
      steps: [{ uses: "t/work", with: { name: "w" }, retry: { retries: 2, delay: "1ms" } }],
    });
    await stage.until("begun w");
    await bench.restart();
    assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
    assert.deepEqual(seen, [undefined, { at: 1 }, { at: 2 }]);
    const kinds = bench.journal(id).map(({ kind }) => kind);
    assert.equal(kinds.filter((kind) => kind === "resumed").length, 1);
  });
});

test("the idempotency key of a step is the same for all its attempts, and another one for every step and item", async () => {
  const keys: string[] = [];
  const work: Work = async (_, { idempotencyKey }) => {
    keys.push(idempotencyKey);
    if (keys.length === 1) throw new Error("once more");
  };
  await Bench.with({ "t/work": work }, async (bench) => {
    const document = {
      steps: [
        { uses: "t/work", retry: { retries: 1, delay: "1ms" } },
        { forEach: [1, 2], steps: [{ uses: "t/work" }] },
      ],
    };
    await bench.run(document);
    assert.equal(keys[0], keys[1]);
    assert.equal(new Set(keys).size, 3);
  });
});
