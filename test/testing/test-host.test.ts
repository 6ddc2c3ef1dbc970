// The kit as a plugin's tests use it.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startTestHost, waitFor } from "gantry/testing";

const counter = new URL("./plugins/counter/", import.meta.url);

const count = {
  steps: [{ id: "count", uses: "counter/count", with: { to: "${{ inputs.to }}", hold: "${{ inputs.hold }}" } }],
  inputs: {
    type: "object",
    required: ["to"],
    properties: { to: { type: "integer" }, hold: { type: "boolean", default: false } },
  },
  outputs: "${{ steps.count.outputs.reached }}",
};

const startsOf = (data: string) => {
  const file = join(data, "plugins/counter/starts");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
};

test("a workflow is run on a real host, and its run, its steps and the log can be looked at", async () => {
  await using host = await startTestHost({
    plugins: [{ plugin: counter, config: { start: 2 } }],
    workflows: { count },
    secrets: { COUNTER: "swordfish" },
  });
  const run = await host.run("count", { to: 4 });
  assert.deepEqual([run.status, run.output, run.error], ["succeeded", 4, null]);
  const [step] = run.steps;
  assert.deepEqual(
    [step?.id, step?.uses, step?.status, step?.attempts, step?.output],
    ["count", "counter/count", "succeeded", 1, { reached: 4, from: 2 }],
  );
  assert.deepEqual(
    host.log.filter(({ msg }) => msg === "counted").map(({ plugin, number }) => [plugin, number]),
    [
      ["counter", 3],
      ["counter", 4],
    ],
  );
  await assert.rejects(host.run("count", { to: "four" }), { code: "INPUT_INVALID" });
  await assert.rejects(host.run("cuont", {}), /did you mean count/);
  assert.equal(host.runs("count").length, 1);
  assert.equal((await host.plugins()).find(({ name }) => name === "counter")?.state, "active");
  const { directory } = host;
  await host[Symbol.asyncDispose]();
  assert.equal(existsSync(directory), false);
});

for (const process of [false, true]) {
  const where = process ? "a process of its own" : "the test's process";

  test(`one step is called alone in a host in ${where}, with what it says and leaves on its way`, async () => {
    await using host = await startTestHost({
      plugins: [{ plugin: counter, config: { start: 1, pin: { $secret: "COUNTER" } } }],
      secrets: { COUNTER: "swordfish" },
      process,
    });
    const seen: unknown[] = [];
    const first = await host.step("counter/count", { to: 3 }, { onProgress: ({ message }) => seen.push(message) });
    assert.deepEqual([first.output, first.unchanged, first.plan], [{ reached: 3, from: 1 }, false, "counts to 3"]);
    assert.deepEqual(
      [first.checkpoints, seen],
      [
        [2, 3],
        ["at 2", "at 3"],
      ],
    );
    assert.equal(first.progress.at(-1)?.percent, 100);

    const again = await host.step("counter/count", { to: 5 }, { after: first });
    assert.deepEqual(again.output, { reached: 5, from: 3 });
    assert.equal(again.idempotencyKey, first.idempotencyKey);
    assert.equal(again.directory, first.directory);

    const done = await host.step("counter/count", { to: 1 });
    assert.deepEqual([done.unchanged, done.output], [true, { reached: 1, from: 1 }]);
    assert.notEqual(done.idempotencyKey, first.idempotencyKey);

    assert.deepEqual((await host.step("counter/pin")).output, { length: "swordfish".length });
    await assert.rejects(host.step("counter/fail"), {
      code: "COUNTER_STUCK",
      details: { failures: 0 },
      remedy: "Oil it.",
      retryable: true,
    });
    await assert.rejects(host.step("counter/count", { to: -1 }), { code: "INPUT_INVALID" });
    await assert.rejects(host.step("counter/cuont"), { code: "STEP_UNKNOWN" });

    const abort = new AbortController();
    const held = host.step(
      "counter/count",
      { to: 2, hold: true },
      { signal: abort.signal, onProgress: () => abort.abort(new Error("enough")) },
    );
    await assert.rejects(held, ({ facts }: { facts: { checkpoints: unknown[] } }) => facts.checkpoints.length === 1);
  });

  test(`the clock of a host in ${where} is moved: waits end, and back-off is over`, async () => {
    await using host = await startTestHost({
      plugins: [counter],
      workflows: {
        patient: {
          steps: [
            { uses: "host/wait", with: { duration: "10m" } },
            { uses: "host/wait", with: { for: "go" } },
          ],
        },
        stubborn: { steps: [{ uses: "counter/fail", with: { until: 1 }, retry: { retries: 1, delay: "1h" } }] },
        hourly: { on: [{ trigger: "host/schedule", with: { every: "1h" } }], steps: [] },
      },
      process,
    });
    const patient = host.run("patient");
    const stubborn = host.run("stubborn");
    await waitFor("the first failure", () => host.log.some(({ code }) => code === "COUNTER_STUCK"));
    await host.clock.advance("1h");
    assert.equal((await stubborn).steps[0]?.attempts, 2);
    assert.equal((await host.nextRun("hourly")).status, "succeeded");
    await waitFor("the second wait", () => host.runs("patient")[0]?.steps.length === 2);
    assert.deepEqual(await host.signal("go"), { received: true, queued: 0 });
    assert.equal((await patient).status, "succeeded");
  });
}

test("a host is killed and resumed: the run goes on, and so does the clock", async () => {
  await using host = await startTestHost({
    plugins: [counter],
    workflows: { count, hourly: { on: [{ trigger: "host/schedule", with: { every: "1h" } }], steps: [] } },
    process: true,
  });
  await host.clock.advance("1h");
  await host.nextRun("hourly");
  const { pid } = host;
  const id = await host.start("count", { to: 2, hold: true });
  await waitFor("the step", () => startsOf(host.data).length === 1);
  await host.kill();
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  await host.resume();
  await waitFor("the step again", () => startsOf(host.data).length === 2);
  const [first, second] = startsOf(host.data);
  assert.equal(first, second);
  await host.cancel(id);
  const run = await host.ended(id);
  assert.deepEqual([run.status, run.steps[0]?.repeated], ["cancelled", true]);
  assert.equal(
    host.log.some(({ msg }) => /clock was set back/.test(msg)),
    false,
  );
});

test("a host dies at the moment that was meant, with nothing of it in the journal", async () => {
  await using host = await startTestHost({ plugins: [counter], workflows: { count }, process: true });
  for (const [at, starts] of [
    ["running", 0],
    ["progress", 1],
    ["succeeded", 1],
  ] as const) {
    const before = startsOf(host.data).length;
    await host.dieAt(at, "counter/count");
    const id = await host.start("count", { to: 2 });
    await host.gone();
    const died = host.found(id)!;
    assert.deepEqual([died.status, died.steps[0]?.status], ["running", "running"], at);
    assert.equal(startsOf(host.data).length, before + starts, at);
    await host.resume();
    const run = await host.ended(id);
    assert.deepEqual([run.output, run.steps[0]?.attempts, run.steps[0]?.repeated], [2, 1, true], at);
    assert.equal(startsOf(host.data).length, before + starts + 1, at);
  }
});

test("results are withheld until the host is killed, of several runs at once, and written when it stops", async () => {
  await using host = await startTestHost({ plugins: [counter], workflows: { count }, process: true });
  await host.withhold("counter/count");
  const ids = [await host.start("count", { to: 2 }), await host.start("count", { to: 3 })];
  for (const id of ids) assert.equal(await host.withheld(id), true);
  assert.equal(startsOf(host.data).length, 2);
  await host.kill();
  for (const id of ids)
    assert.deepEqual(
      host.found(id)?.steps.map(({ status }) => status),
      ["running"],
    );
  await host.resume();
  const runs = await Promise.all(ids.map((id) => host.ended(id)));
  assert.deepEqual(
    runs.map(({ output }) => output),
    [2, 3],
  );
  assert.deepEqual(
    runs.map(({ steps }) => steps[0]?.repeated),
    [true, true],
  );
  await host.withhold("other/step");
  assert.equal(await host.withheld(await host.start("count", { to: 1 })), false);
  await host.withhold("counter/count");
  const last = await host.start("count", { to: 4 });
  assert.equal(await host.withheld(last), true);
  await host.stop();
  await host.resume();
  const { output, steps } = await host.ended(last);
  assert.deepEqual([output, steps[0]?.repeated], [4, false]);
});

test("a host that stops suspends its runs; nothing can be asked of it until it is there again", async () => {
  await using host = await startTestHost({
    plugins: [counter],
    workflows: { patient: { steps: [{ uses: "host/wait", with: { duration: "10m" } }] } },
  });
  const id = await host.start("patient");
  await assert.rejects(host.kill(), /process: true/);
  await host.stop();
  await assert.rejects(host.step("counter/count", { to: 1 }), /resume/);
  assert.equal(host.found(id)?.status, "waiting");
  await host.clock.advance("10m");
  await host.resume();
  assert.equal((await host.ended(id)).status, "succeeded");
});

test("what is wrong with a test's host is said before the test begins", async () => {
  const wrong = { steps: [{ uses: "counter/cuont", with: {} }] };
  await assert.rejects(
    startTestHost({ plugins: [counter], workflows: { wrong } }),
    /wrong\.json:\d+:\d+ no plugin has the step .*STEP_NOT_FOUND/,
  );
  await assert.rejects(startTestHost({ plugins: ["./nowhere"] }), /PLUGIN_NOT_FOUND/);
  const config = { config: { start: 0, pin: "1" } };
  await using host = await startTestHost({
    plugins: [{ plugin: counter, ...config }],
    workflows: { wrong },
    faulty: true,
  });
  assert.throws(() => host.mqtt, /broker: "embedded"/);
  await assert.rejects(host.clock.advance("soon"), /no duration/);
});

test("a life of a host has an environment of its own beside that of all its lives", async () => {
  const show = {
    steps: [
      { id: "show", uses: "script/run", with: { command: ["/bin/sh", "-c", "echo $ALWAYS $ONCE"], directory: "/" } },
    ],
    outputs: "${{ steps.show.outputs.output }}",
  };
  const script = { plugin: "script", config: { environment: ["ALWAYS", "ONCE"] } };
  const environment = { ALWAYS: "a", ONCE: "b" };
  await using host = await startTestHost({ plugins: [script], workflows: { show }, process: true, environment });
  assert.match(String((await host.run("show")).output), /^a b\n?$/);
  await host.stop();
  await host.resume({ environment: { ONCE: "c" } });
  assert.match(String((await host.run("show")).output), /^a c\n?$/);
  await host.stop();
  await host.resume();
  assert.match(String((await host.run("show")).output), /^a b\n?$/);
});

test("the device's identity is the test's", async () => {
  const who = { steps: [], outputs: "${{ device }}" };
  await using host = await startTestHost({ workflows: { who } });
  assert.deepEqual((await host.run("who")).output, host.device);
  assert.equal(host.device?.deviceId, "org.example:test-device");
});
