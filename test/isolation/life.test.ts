// What stands across the failures of a plugin's process, and how an operator says where plugins run.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { PluginError } from "../../host/sdk.ts";
import { registerSecret } from "../../host/secrets.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import type { RunningPlugins } from "../loading/running-plugins.ts";
import { recordingLog } from "../support/recording-log.ts";
import { stepContext } from "../support/step-context.ts";
import { activate, makeFolder } from "./carriers.ts";

const options = { retryDelayMs: { first: 10, longest: 50 } };

const stateOf = (plugins: RunningPlugins, name: string) => plugins.states().find((state) => state.name === name)!;

/** Ends its process as the kernel might, and waits for the next one. */
async function crash(plugins: RunningPlugins, name: string): Promise<void> {
  const { pid } = stateOf(plugins, name);
  process.kill(pid!, "SIGKILL");
  await waitFor(`${name} to be started again`, () => {
    const state = stateOf(plugins, name);
    return state.state === "active" && state.pid !== undefined && state.pid !== pid;
  });
}

test("triggers and subscriptions go on at a plugin whose process was started again, until they are stopped", async (t) => {
  const plugins = await activate(t, makeFolder(t, [{ name: "contract" }, { name: "peer" }]), options);
  const heard: unknown[] = [];
  const stop = await plugins.services.contract!.ticks!({ of: "clock" }, async ({ value }: { value: unknown }) => {
    heard.push(value);
  });
  const emitted: unknown[] = [];
  const stopTrigger = await plugins.startTrigger(
    "contract/ticked",
    {},
    async ({ input }) => ({ runId: String(emitted.push(input)) }),
    { workflow: "w", index: 0, log: recordingLog([]) },
  );
  await crash(plugins, "contract");
  const tick = async (value: object) => {
    using context = stepContext({ services: plugins.services });
    await plugins.findStep("contract/use").implementation.run({ act: "tick", value }, context);
  };
  // They are begun again after the plugin has become active.
  await waitFor("both to be begun again", async () => {
    await tick({ input: { again: true } });
    return heard.length > 0 && emitted.length > 0;
  });
  assert.deepEqual([heard[0], emitted[0]], [{ input: { again: true } }, { again: true }]);
  await (stop as () => Promise<void>)();
  await stopTrigger();
  heard.length = 0;
  emitted.length = 0;
  await crash(plugins, "contract");
  await tick({ input: {} });
  assert.deepEqual([heard, emitted], [[], []]);
});

test("what a plugin has subscribed to is stopped when its process fails", async (t) => {
  const entries = [{ name: "contract" }, { name: "peer", isolation: "in-process" }];
  const plugins = await activate(t, makeFolder(t, entries), options);
  using context = stepContext({ services: plugins.services });
  const use = plugins.findStep("contract/use").implementation;
  const waiting = assert.rejects(use.run({ act: "holdPeerItems", items: [1] }, context), { code: "PLUGIN_CRASHED" });
  await waitFor("the subscription", async () => ((await plugins.services.peer!.send!()) as unknown[]).length === 1);
  await crash(plugins, "contract");
  await waiting;
  assert.deepEqual(await plugins.services.peer!.send!(), []);
});

test("a listener whose process fails acknowledges nothing", async (t) => {
  const entries = [{ name: "contract" }, { name: "peer", isolation: "in-process" }];
  const plugins = await activate(t, makeFolder(t, entries), options);
  using context = stepContext({ services: plugins.services });
  const use = plugins.findStep("contract/use").implementation;
  const held = use.run({ act: "holdPeerItems", items: [1], forEver: true }, context).catch((error: unknown) => error);
  await waitFor("the subscription", () => context.lines.length > 0);
  const sent = plugins.services.peer!.send!();
  await crash(plugins, "contract");
  assert.deepEqual(await sent, ["PLUGIN_CRASHED"]);
  assert.equal(((await held) as PluginError).code, "PLUGIN_CRASHED");
});

test("what a step was given is over with the step", async (t) => {
  const plugins = await activate(t, makeFolder(t, [{ name: "contract" }, { name: "peer" }]), options);
  using context = stepContext();
  const use = plugins.findStep("contract/use").implementation;
  await use.run({ act: "keepContext" }, context);
  assert.deepEqual(await use.run({ act: "useKept" }, context), { code: "CALL_ENDED" });
  assert.deepEqual(context.checkpoints, []);
});

test("plugins run in a process of their own, in one that their group shares, or in the host's, as plugins.json says", async (t) => {
  const entries = [
    { name: "contract", isolation: "bench" },
    { name: "peer", isolation: "bench" },
    { name: "good" },
    { name: "attacker", isolation: "in-process" },
  ];
  const plugins = await activate(t, makeFolder(t, entries), options);
  assert.deepEqual(plugins.documents.faults, []);
  const pids = Object.fromEntries(plugins.states().map(({ name, pid }) => [name, pid]));
  assert.equal(pids.contract, pids.peer);
  assert.notEqual(pids.good, pids.peer);
  assert.notEqual(pids.good, undefined);
  assert.equal(pids.attacker, undefined);
  assert.deepEqual(await plugins.services.contract!.askPeer!("who"), { question: "who" });
  process.kill(pids.peer as number, "SIGKILL");
  await waitFor("both to be started again", () =>
    ["peer", "contract"].every((name) => {
      const { state, pid } = stateOf(plugins, name);
      return state === "active" && pid !== undefined && pid !== pids.peer;
    }),
  );
  assert.equal(stateOf(plugins, "contract").pid, stateOf(plugins, "peer").pid);
  assert.deepEqual(await plugins.services.contract!.askPeer!("who"), { question: "who" });
  assert.equal(stateOf(plugins, "good").pid, pids.good);
});

test("one of Gantry's own plugins may be put into a process, too", async (t) => {
  const folder = makeFolder(t, []);
  writeFileSync(folder.configurationFile, JSON.stringify({ plugins: [{ plugin: "verify", isolation: "tools" }] }));
  const plugins = await activate(t, folder, options);
  const { state, pid, reason } = stateOf(plugins, "verify");
  assert.equal(state, "active", reason ?? "");
  assert.notEqual(pid, undefined);
});

test("an active plugin can be told to start again", async (t) => {
  const plugins = await activate(t, makeFolder(t, [{ name: "good" }]), options);
  const { pid } = stateOf(plugins, "good");
  const told = await plugins.restart("good");
  assert.deepEqual([told?.state, told?.restarts], ["active", 0]);
  assert.notEqual(told?.pid, pid);
  using context = stepContext();
  assert.deepEqual(await plugins.findStep("good/work").implementation.run({}, context), { times: 1 });
});

test("a plugin's state tells of its process, and names it no more once it has ended", async (t) => {
  const plugins = await activate(t, makeFolder(t, [{ name: "good" }]), options);
  const { pid, residentBytes, restarts, lastError } = stateOf(plugins, "good");
  assert.match(readFileSync(`/proc/${pid}/cmdline`, "utf8"), /--permission/);
  assert.ok(residentBytes! > 20_000_000 && residentBytes! < 256_000_000, `${residentBytes}`);
  assert.deepEqual([restarts, lastError], [0, undefined]);
  await crash(plugins, "good");
  assert.equal(stateOf(plugins, "good").lastError?.code, "PLUGIN_CRASHED");
  assert.match(stateOf(plugins, "good").lastError?.at ?? "", /^\d{4}-.*Z$/);
  await plugins.stop();
  assert.deepEqual([stateOf(plugins, "good").state, stateOf(plugins, "good").pid], ["stopped", undefined]);
});

test("what a plugin prints is logged line by line with its secrets masked, and cut", async (t) => {
  registerSecret("hunter2\nsecond line");
  registerSecret("swordfish");
  const plugins = await activate(t, makeFolder(t, [{ name: "contract" }, { name: "peer" }]), options);
  using context = stepContext();
  const text = `a swordfish\nkey: hunter2\nsecond line\n${"x".repeat(20_000)}\n${"y".repeat(200_000)}\nlast\n`;
  await plugins.findStep("contract/use").implementation.run({ act: "print", text }, context);
  const printed = () => plugins.lines.filter(({ fields }) => fields.stream !== undefined);
  await waitFor("the last line", () => printed().some(({ text: line }) => line === "last"));
  const lines = printed().map(({ text: line }) => line);
  assert.deepEqual(lines.slice(0, 2), ["a ***", "key: ***"]);
  assert.deepEqual(
    lines.slice(2, 4).map((line) => [line[0], line.length]),
    [
      ["x", 8195],
      ["y", 8195],
    ],
  );
  assert.ok(printed().every(({ fields }) => fields.plugin === "contract" && fields.stream === "stdout"));
});

test("log lines beyond what is useful are counted and dropped", async (t) => {
  const plugins = await activate(t, makeFolder(t, [{ name: "contract" }, { name: "peer" }]), {
    ...options,
    isolation: { logLines: { perSecond: 0.001, burst: 10 } },
  });
  using context = stepContext();
  await plugins.findStep("contract/use").implementation.run({ act: "chat", lines: 500 }, context);
  assert.equal(context.lines.length, 10);
});

test("a value too large to pass fails its call, and the plugin goes on", async (t) => {
  const plugins = await activate(t, makeFolder(t, [{ name: "contract" }, { name: "peer" }]), options);
  const tooLarge = { code: "MESSAGE_TOO_LARGE", retryable: false };
  const { pid } = stateOf(plugins, "contract");
  await assert.rejects(async () => plugins.services.contract!.echo!("x".repeat(5 << 20)), tooLarge);
  using context = stepContext();
  const use = plugins.findStep("contract/use").implementation;
  await assert.rejects(use.run({ act: "large", bytes: 5 << 20 }, context), tooLarge);
  await assert.rejects(use.run({ act: "bigInteger" }, context), /BigInt/);
  await assert.rejects(use.run({ act: "circle" }, context), /circle/);
  assert.equal(await plugins.services.contract!.echo!("still there"), "still there");
  assert.equal(stateOf(plugins, "contract").pid, pid);
});

test("many calls at once pass in both directions, each to its own answer", async (t) => {
  const plugins = await activate(t, makeFolder(t, [{ name: "contract" }, { name: "peer" }]), options);
  const { echo, askPeer } = plugins.services.contract!;
  const numbers = Array.from({ length: 20_000 }, (_, number) => number);
  assert.deepEqual(await Promise.all(numbers.map((number) => echo!(number))), numbers);
  const asked = await Promise.all(numbers.slice(0, 10_000).map((number) => askPeer!(number)));
  assert.deepEqual(
    asked,
    numbers.slice(0, 10_000).map((question) => ({ question })),
  );
  const large = Array.from({ length: 64 }, (_, number) => String(number).padEnd(1 << 20));
  assert.deepEqual(
    await Promise.all(large.map((text) => askPeer!(text))),
    large.map((question) => ({ question })),
  );
});
