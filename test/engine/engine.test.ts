// The engine over a real store, with steps made for the test.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { GantryError } from "../../host/errors.ts";
import type { Json } from "../../host/sdk.ts";
import type { Workflow } from "../../schemas/workflow.types.ts";
import { Bench, type Document, echo, loaded, type Work } from "./bench.ts";

test("outputs flow from step to step, keep their types, and become the run's output", async () => {
  await Bench.with({ "t/echo": echo }, async (bench) => {
    const ended = await bench.run(
      {
        vars: { twice: "${{ add(inputs.n, inputs.n) }}" },
        steps: [
          { id: "a", uses: "t/echo", with: { list: [1, "${{ vars.twice }}"] } },
          { id: "b", uses: "t/echo", with: { of: "${{ steps.a.outputs.list }}", text: "n=${{ inputs.n }}" } },
        ],
        outputs: {
          of: "${{ steps.b.outputs.of }}",
          text: "${{ steps.b.outputs.text }}",
          status: "${{ steps.b.status }}",
        },
      },
      { n: 21 },
    );
    assert.equal(ended.status, "succeeded");
    assert.deepEqual(ended.output, { of: [1, 42], text: "n=21", status: "succeeded" });
  });
});

test("a forEach gives one output per item, null for one that failed where it goes on", async () => {
  const half: Work = async (input) => {
    if ((input as { n: number }).n % 2 === 1) throw new Error("odd");
    return { half: (input as { n: number }).n / 2 };
  };
  await Bench.with({ "t/half": half }, async (bench) => {
    const ended = await bench.run({
      steps: [
        {
          id: "all",
          forEach: [2, 3, 4],
          as: "n",
          continueOnError: true,
          steps: [{ id: "one", uses: "t/half", with: { n: "${{ n }}" } }],
          outputs: { half: "${{ steps.one.outputs.half }}", at: "${{ index }}" },
        },
      ],
      outputs: "${{ steps.all.outputs.items }}",
    });
    assert.equal(ended.status, "succeeded");
    assert.deepEqual(ended.output, [{ half: 1, at: 0 }, null, { half: 2, at: 2 }]);
  });
});

test("onFailure reads the error, finally runs after it, and the run has failed with the error of the step", async () => {
  const heard: Json[] = [];
  const hear: Work = async (input) => void heard.push(input);
  const fail: Work = async () => {
    throw Object.assign(new Error("broken"), { code: "LAMP_BROKEN", details: { bulb: 3 }, retryable: false });
  };
  await Bench.with({ "t/hear": hear, "t/fail": fail }, async (bench) => {
    const ended = await bench.run({
      steps: [{ id: "lamp", uses: "t/fail", retry: { retries: 3 } }],
      onFailure: [
        {
          uses: "t/hear",
          with: { code: "${{ error.code }}", step: "${{ error.step }}", bulb: "${{ error.details.bulb }}" },
        },
      ],
      finally: [{ uses: "t/hear", with: { end: "${{ steps.lamp.status }}" } }],
    });
    assert.equal(ended.status, "failed");
    assert.equal(ended.error?.code, "LAMP_BROKEN");
    assert.deepEqual(heard, [{ code: "LAMP_BROKEN", step: "lamp", bulb: 3 }, { end: "failed" }]);
  });
});

test("a step that is aborted by its timeout fails with STEP_TIMEOUT, whatever it says itself, and may be tried again", async () => {
  let attempts = 0;
  const slow: Work = async (_, { signal }) => {
    attempts += 1;
    if (attempts === 2) return { done: true };
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("words of my own"))));
  };
  await Bench.with({ "t/slow": slow }, async (bench) => {
    const once = await bench.run({ steps: [{ uses: "t/slow", timeout: "50ms" }] });
    assert.equal(once.error?.code, "STEP_TIMEOUT");
    attempts = 0;
    const twice = await bench.run({
      steps: [{ uses: "t/slow", timeout: "50ms", retry: { retries: 1, delay: "10ms" } }],
    });
    assert.equal(twice.status, "succeeded");
  });
});

test("runs of one concurrency group never overlap and keep their order", async () => {
  const order: string[] = [];
  let open = 0;
  const work: Work = async (input) => {
    open += 1;
    assert.equal(open, 1, "two runs of the group overlap");
    order.push((input as { name: string }).name);
    await sleep(10);
    open -= 1;
  };
  await Bench.with({ "t/work": work }, async (bench) => {
    const document: Document = {
      concurrency: { group: "${{ inputs.group }}" },
      steps: [{ uses: "t/work", with: { name: "${{ inputs.name }}" } }],
    };
    const runs = [];
    for (const name of ["a", "b", "c", "d"]) runs.push(await bench.accept(document, { name, group: "one" }));
    for (const id of runs) assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
    assert.deepEqual(order, ["a", "b", "c", "d"]);
  });
});

test("more runs than may wait are refused with QUEUE_FULL", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await Bench.with(
    { "t/wait": () => promise },
    async (bench) => {
      const document = { steps: [{ uses: "t/wait" }] };
      const first = await bench.accept(document);
      const second = await bench.accept(document);
      await assert.rejects(bench.accept(document), { code: "QUEUE_FULL", retryable: true });
      resolve();
      assert.equal((await bench.engine.waitFor(first)).status, "succeeded");
      assert.equal((await bench.engine.waitFor(second)).status, "succeeded");
    },
    { maxOpen: 1, maxWaiting: 1 },
  );
});

test("runs whose inputs are too large together are refused with QUEUE_FULL until others have ended", async () => {
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const gate = (name: string) => gates.get(name) ?? gates.set(name, Promise.withResolvers()).get(name)!;
  const wait: Work = (input, { signal }) =>
    Promise.race([
      gate((input as { name: string }).name).promise,
      once(signal, "abort").then(() => Promise.reject(signal.reason)),
    ]);
  await Bench.with(
    { "t/wait": wait },
    async (bench) => {
      const document: Document = { steps: [{ uses: "t/wait", with: { name: "${{ inputs.name }}" } }] };
      const grouped: Document = { ...document, concurrency: { group: "one" } };
      const text = "x".repeat(400);
      const tooLarge = { code: "QUEUE_FULL", retryable: true, message: /inputs/ };
      // One always has room.
      const alone = await bench.accept(document, { name: "alone", text: "x".repeat(5000) });
      await assert.rejects(bench.accept(document, { name: "beside" }), tooLarge);
      gate("alone").resolve();
      await bench.engine.waitFor(alone);
      const first = await bench.accept(grouped, { name: "first", text });
      const second = await bench.accept(grouped, { name: "second", text });
      await assert.rejects(bench.accept(grouped, { name: "third", text }), tooLarge);
      // Those that wait hold theirs, too, and not any more once they are cancelled.
      await bench.engine.cancel(second);
      const third = await bench.accept(grouped, { name: "third", text });
      // So do those that an earlier host has left.
      await bench.restart();
      await assert.rejects(bench.accept(grouped, { name: "fourth", text }), tooLarge);
      for (const name of ["first", "third"]) gate(name).resolve();
      for (const id of [first, third]) assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
      gate("fourth").resolve();
      const fourth = await bench.accept(grouped, { name: "fourth", text });
      assert.equal((await bench.engine.waitFor(fourth)).status, "succeeded");
    },
    { mostInputLength: 1000 },
  );
});

test("an input that is wrong in very many places is refused with few words, and costs little", async () => {
  await Bench.with({}, async (bench) => {
    const inputs = { type: "object", properties: { list: { type: "array", items: { type: "string" } } } };
    const refusal = async (length: number) => {
      const refused = bench.accept({ inputs, steps: [] }, { list: Array.from({ length }, () => 1) });
      const error = await refused.then(
        () => undefined,
        (reason: GantryError) => reason,
      );
      assert.equal(error?.code, "INPUT_INVALID");
      assert.ok(error.message.length < 10_000, `${error.message.length}`);
      return error.details?.problems as string[];
    };
    assert.equal((await refusal(3)).length, 3);
    assert.equal((await refusal(300)).at(-1), "and 280 more");
    const before = process.memoryUsage().rss;
    assert.deepEqual(await refusal(1_000_000), ["/list/0 must be a text"]);
    const grown = (process.memoryUsage().rss - before) / 1e6;
    assert.ok(grown < 300, `${grown} MB`);
  });
});

const failing: [code: string, step: Workflow["steps"][number]][] = [
  ["INPUT_INVALID", { uses: "t/echo", with: { refuse: true } }],
  ["OUTPUT_INVALID", { uses: "t/echo", with: { wrong: true } }],
  ["OUTPUT_TOO_LARGE", { uses: "t/much" }],
  ["STEP_UNKNOWN", { uses: "t/nothing" }],
  ["STEP_FAILED", { uses: "t/fail" }],
  ["EXPRESSION_FAILED", { uses: "t/echo", with: { sum: "${{ add('a', 1) }}" } }],
  ["EXPRESSION_FAILED", { if: "${{ inputs.text }}", uses: "t/echo" }],
  ["EXPRESSION_FAILED", { forEach: "${{ inputs.text }}", steps: [] }],
  ["EXPRESSION_FAILED", { uses: "t/echo", timeout: "${{ inputs.text }}" }],
  ["EXPRESSION_TOO_LARGE", { uses: "t/echo", with: { text: "${{ inputs.text }}${{ inputs.long }}" } }],
];

for (const [code, step] of failing) {
  test(`${JSON.stringify(step).slice(0, 80)} fails the run with ${code}`, async () => {
    const fail: Work = async () => {
      throw new Error("no code");
    };
    const much: Work = async () => ({ text: "x".repeat(1 << 20) });
    await Bench.with({ "t/echo": echo, "t/fail": fail, "t/much": much }, async (bench) => {
      const ended = await bench.run({ steps: [step] }, { text: "text", long: "x".repeat(65_536) });
      assert.equal(ended.status, "failed");
      assert.equal(ended.error?.code, code);
      assert.ok(ended.error?.remedy, "no remedy");
    });
  });
}

test("a delivery that comes again gives the run it gave; another message under its key gives a new one", async () => {
  await Bench.with({ "t/echo": echo }, async (bench) => {
    const workflow = loaded({ steps: [{ uses: "t/echo" }] });
    const emit = (fingerprint: string, redelivered: boolean, source = "test#0") =>
      bench.engine.accept(workflow, { input: {}, delivery: { key: "client/7", fingerprint, redelivered } }, source);
    const first = await emit("a", false);
    assert.deepEqual(await emit("a", true), first);
    assert.notDeepEqual(await emit("a", true, "other#0"), first, "another trigger's run");
    const second = await emit("a", false);
    assert.notDeepEqual(second, first, "the broker uses the id anew");
    assert.notDeepEqual(await emit("b", true), second, "another content");
    const [one, two] = await Promise.all([emit("c", true), emit("c", true)]);
    assert.deepEqual(one, two, "the same redelivery twice at once");
  });
});
