// What a plugin in a process of its own cannot do to the host: each attack ends the attacker with a code, and everything
// else goes on.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import inspector from "node:inspector";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { toFailure } from "../../host/errors.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { listen } from "../support/listen.ts";
import { stepContext } from "../support/step-context.ts";
import { treeOf } from "../support/tree-of.ts";
import { activate, makeFolder } from "./carriers.ts";

const isolation = {
  heartbeatMs: 250,
  missedHeartbeats: 10,
  memoryCheckMs: 50,
  deafAfterMs: 200,
  notices: { perSecond: 100, burst: 5000 },
};
const options = { isolation, retryDelayMs: { first: 10, longest: 50 } };

const attacks: Record<string, { code: string | RegExp; message?: RegExp }> = {
  exit: { code: "PLUGIN_CRASHED", message: /exit code 3/ },
  listen: { code: "PLUGIN_CRASHED", message: /allow-net/ },
  abort: { code: "PLUGIN_CRASHED", message: /SIGABRT/ },
  throwLater: { code: "PLUGIN_CRASHED", message: /thrown by a timer/ },
  rejectUnheard: { code: "PLUGIN_CRASHED", message: /nobody hears it/ },
  spin: { code: "PLUGIN_UNRESPONSIVE", message: /no sign of life/ },
  objects: { code: "PLUGIN_MEMORY" },
  buffers: { code: "PLUGIN_MEMORY", message: /at most 128/ },
  print: { code: "PLUGIN_FLOOD", message: /prints/ },
  printError: { code: "PLUGIN_FLOOD", message: /prints/ },
  logInALoop: { code: "PLUGIN_UNRESPONSIVE" },
  logPast: { code: "PLUGIN_FLOOD", message: /log lines/ },
  progressPast: { code: "PLUGIN_FLOOD", message: /progress/ },
  // Whichever comes first.
  callPast: { code: /^PLUGIN_(FLOOD|UNRESPONSIVE)$/ },
  databasesPast: { code: "PLUGIN_FLOOD", message: /objects that it was given/ },
  functionInResult: { code: "PLUGIN_PROTOCOL", message: /holds functions/ },
  text: { code: "PLUGIN_PROTOCOL", message: /cannot be understood/ },
  bytes: { code: "PLUGIN_PROTOCOL", message: /cannot be understood/ },
  handle: { code: "PLUGIN_PROTOCOL", message: /no known kind/ },
  list: { code: "PLUGIN_PROTOCOL", message: /no known kind/ },
  answers: { code: "PLUGIN_PROTOCOL", message: /nobody made/ },
  failures: { code: "PLUGIN_PROTOCOL", message: /nobody made/ },
  unknownFunction: { code: "PLUGIN_PROTOCOL", message: /not given/ },
  noArguments: { code: "PLUGIN_PROTOCOL", message: /no list/ },
  pollutingPath: { code: "PLUGIN_PROTOCOL", message: /no place/ },
  longLine: { code: "PLUGIN_PROTOCOL", message: /more than 4194304 bytes/ },
  brackets: { code: "PLUGIN_PROTOCOL", message: /levels/ },
  deepAnswer: { code: "PLUGIN_PROTOCOL", message: /levels/ },
  steal: { code: "PLUGIN_UNRESPONSIVE" },
  // Whether it sees the end of its pipe first, or the host does.
  close: { code: /^PLUGIN_(PROTOCOL|CRASHED)$/ },
  everyDescriptor: { code: "PLUGIN_PROTOCOL", message: /cannot be understood/ },
};

const entries = [{ name: "attacker", memoryLimitMb: 128 }, { name: "good" }];

test("a plugin that attacks is ended with a code and started again, and another one works on", async (t) => {
  const plugins = await activate(t, makeFolder(t, entries), { ...options, restarts: { most: 1000, withinMs: 60_000 } });
  const stateOf = (name: string) => plugins.states().find((state) => state.name === name)!;
  let runs = 0;
  for (const [which, expected] of Object.entries(attacks))
    await t.test(which, async () => {
      await waitFor("the attacker to be there", () => stateOf("attacker").state === "active");
      const { pid, restarts } = stateOf("attacker");
      using context = stepContext();
      const run = (uses: string, input: object) => plugins.findStep(uses).implementation.run(input as never, context);
      const failure = toFailure(await run("attacker/attack", { which }).catch((error: unknown) => error));
      if (typeof expected.code === "string") assert.equal(failure.code, expected.code, failure.message);
      else assert.match(failure.code, expected.code);
      assert.match(failure.message, expected.message ?? /./);
      assert.equal(failure.retryable, true);
      assert.ok(failure.remedy);
      runs += 1;
      assert.deepEqual(await run("good/work", {}), { times: runs });
      await waitFor("the attacker to be started again", () => {
        const { state, pid: now } = stateOf("attacker");
        return state === "active" && now !== undefined && now !== pid;
      });
      const after = stateOf("attacker");
      assert.notEqual(after.pid, pid);
      assert.equal(after.restarts, restarts! + 1);
      assert.equal(after.lastError?.code, failure.code);
      assert.deepEqual(await run("attacker/work", {}), { value: 1 });
      assert.ok(plugins.lines.length < 5000, `${plugins.lines.length} lines were logged`);
      plugins.lines.length = 0;
      assert.equal(({} as { polluted?: unknown }).polluted, undefined);
      assert.ok(process.resourceUsage().maxRSS < 400 * 1024, `${process.resourceUsage().maxRSS} kB`);
    });
});

test("calls without end through Gantry's own code cost the plugin its memory, not the host", async (t) => {
  const plugins = await activate(t, makeFolder(t, entries), options);
  using context = stepContext();
  const attack = plugins.findStep("attacker/attack").implementation.run({ which: "callsInALoop" } as never, context);
  const { code } = toFailure(await attack.catch((error: unknown) => error));
  assert.ok(["PLUGIN_MEMORY", "PLUGIN_UNRESPONSIVE"].includes(code), code);
  assert.deepEqual(await plugins.findStep("good/work").implementation.run({}, context), { times: 1 });
});

test("a plugin without permissions is refused everything but its own folders, and goes on", async (t) => {
  const folder = makeFolder(t, entries);
  const plugins = await activate(t, folder, options);
  const { dataDirectory: data } = plugins;
  for (const path of ["runs/0a", "plugins/attacker-keys"]) mkdirSync(join(data, path), { recursive: true });
  writeFileSync(join(data, "plugins/good/x"), "");
  writeFileSync(join(data, "plugins/attacker-keys/key"), "");
  await using server = await listen(createServer((socket) => socket.destroy()));
  const control = createServer().listen(join(data, "control.sock"));
  t.after(() => control.close());
  const outside = join(folder.path, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "there"), "untouched");
  const input = {
    data,
    outside,
    port: server.port,
    store: join(folder.path, "plugins.json"),
    control: join(data, "control.sock"),
    host: fileURLToPath(new URL("../../host/sdk.ts", import.meta.url)),
  };
  using context = stepContext();
  const code = readFileSync(join(folder.path, "plugins/attacker/attempts.js"), "utf8");
  const outcomes = (await plugins.findStep("attacker/try").implementation.run(input as never, context)) as object;
  const refused = ["ERR_ACCESS_DENIED", "ERR_DLOPEN_DISABLED", "Error: no module"];
  assert.deepEqual(
    Object.entries(outcomes).filter(([, outcome]) => !refused.includes(outcome as string)),
    [],
  );
  assert.equal(readFileSync(join(folder.path, "plugins/attacker/attempts.js"), "utf8"), code);
  assert.deepEqual(treeOf(outside), { there: "untouched" });
  const told = plugins.lines.filter(({ fields }) => fields.code === "PERMISSION_DENIED").map(({ text }) => text);
  for (const wanted of ["to read /etc/passwd", `to write ${outside}/written`, "to start /bin/true", "to connect to"])
    assert.ok(
      told.some((text) => text.startsWith(`not permitted: ${wanted}`)),
      `${wanted} among ${told}`,
    );
  assert.deepEqual(await plugins.findStep("attacker/work").implementation.run({}, context), { value: 1 });
});

test("a plugin cannot have V8 write files: a flag that it sets ends its process", async (t) => {
  const plugins = await activate(t, makeFolder(t, entries), options);
  using context = stepContext();
  const attack = plugins
    .findStep("attacker/attack")
    .implementation.run({ which: "flags", wait: false } as never, context);
  await assert.rejects(attack, { code: "PLUGIN_CRASHED" });
  assert.equal(existsSync(join(plugins.dataDirectory, "written-by-v8")), false);
  assert.deepEqual(await plugins.findStep("good/work").implementation.run({}, context), { times: 1 });
});

test("the process of a plugin has no environment but its mark, and cannot open the host's debugger", async (t) => {
  const plugins = await activate(t, makeFolder(t, entries), options);
  const { pid } = plugins.states().find(({ name }) => name === "attacker")!;
  const names = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean);
  assert.deepEqual(
    names.map((variable) => variable.split("=")[0]),
    ["GANTRY_PLUGIN"],
  );
  process.kill(process.pid, "SIGUSR1");
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(inspector.url(), undefined);
});

test("the process of a plugin has inherited nothing of the host's but its pipes", async (t) => {
  const plugins = await activate(t, makeFolder(t, entries), options);
  const { pid } = plugins.states().find(({ name }) => name === "attacker")!;
  const links = linksOf(pid!);
  const { 0: input, 1: output, 2: errors, 3: pipe, ...others } = links;
  assert.equal(input, "/dev/null");
  for (const stream of [output, errors, pipe]) assert.match(stream ?? "", /^(socket|pipe):/);
  const hosts = new Set(Object.values(linksOf(process.pid)));
  const shared = Object.values(others).filter((link) => hosts.has(link) && !/^(anon_inode:|\/dev\/null$)/.test(link));
  assert.deepEqual(shared, []);
});

test("what the host was started with does not reach a plugin, whatever it writes to", async (t) => {
  const folder = makeFolder(t, [{ name: "attacker", config: { onStart: "everyDescriptor" } }]);
  const main = fileURLToPath(new URL("../../host/main.ts", import.meta.url));
  // The first sixteen are closed by Node when it starts a process.
  const descriptor = 40;
  const stdio: ("ignore" | "pipe")[] = Array.from({ length: descriptor }, () => "ignore");
  stdio[2] = "pipe";
  const host = spawn(process.execPath, [main, "up", "--config", folder.configurationFile], {
    stdio: [...stdio, "pipe"],
  });
  t.after(() => host.kill("SIGKILL"));
  let log = "";
  let received = "";
  host.stderr!.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  (host.stdio.at(descriptor) as Readable).setEncoding("utf8").on("data", (text: string) => {
    received += text;
  });
  await waitFor("the attack", () => /PLUGIN_PROTOCOL/.test(log));
  const gone = once(host, "close");
  host.kill();
  await gone;
  assert.equal(received, "");
});

test("a step deaf to its abort is ended with its process; the other attempts there fail and may be tried again", async (t) => {
  const plugins = await activate(t, makeFolder(t, entries), options);
  using context = stepContext();
  using other = stepContext();
  const { implementation } = plugins.findStep("attacker/attack");
  const deaf = implementation.run({ which: "wait" } as never, context);
  const innocent = implementation.run({ which: "wait" } as never, other);
  context.controller.abort(new Error("it took too long"));
  for (const attempt of [deaf, innocent]) {
    const { code, retryable } = toFailure(await attempt.catch((error: unknown) => error));
    assert.deepEqual([code, retryable], ["PLUGIN_UNRESPONSIVE", true]);
  }
  await waitFor("the plugin to be started again", () => plugins.states().every(({ state }) => state === "active"));
});

test("a plugin that keeps crashing is left off until it is told otherwise", async (t) => {
  const config = { onStart: "exit" };
  const plugins = await activate(t, makeFolder(t, [{ name: "attacker", config }, { name: "good" }]), {
    ...options,
    restarts: { most: 3, withinMs: 60_000 },
  });
  const state = () => plugins.states().find(({ name }) => name === "attacker")!;
  await waitFor("the plugin to be left off", () => state().state === "failed");
  const { code, reason, remedy, restarts, lastError, pid } = state();
  assert.deepEqual([code, restarts, lastError?.code, pid], ["PLUGIN_LEFT_OFF", 2, "PLUGIN_CRASHED", undefined]);
  assert.match(reason ?? "", /3 times.*exit code 3/);
  assert.ok(remedy);
  assert.throws(() => plugins.findStep("attacker/work"), { code: "PLUGIN_LEFT_OFF", retryable: false });
  await assert.rejects(async () => plugins.services.attacker!.say!(1), { code: "PLUGIN_LEFT_OFF" });
  using context = stepContext();
  assert.deepEqual(await plugins.findStep("good/work").implementation.run({}, context), { times: 1 });
  const told = await plugins.restart("attacker");
  assert.deepEqual([told?.state, told?.code, told?.restarts], ["unavailable", "PLUGIN_CRASHED", 3]);
  assert.equal(await plugins.restart("nobody"), undefined);
});

test("a plugin deaf to its stop and to signals is gone when the host has stopped", async (t) => {
  const config = { onStop: "ignoreSignals" };
  const plugins = await activate(t, makeFolder(t, [{ name: "attacker", config }]), { ...options, stopTimeoutMs: 50 });
  const { pid } = plugins.states().find(({ name }) => name === "attacker")!;
  await plugins.stop();
  assert.equal(isAlive(pid!), false);
  assert.ok(plugins.lines.some(({ level, text }) => level === "warn" && /attacker does not stop cleanly/.test(text)));
});

test("a setup that hangs is ended with its process", async (t) => {
  const config = { onStart: "ignoreSignals" };
  const plugins = await activate(t, makeFolder(t, [{ name: "attacker", config }]), {
    ...options,
    setupTimeoutMs: 1000,
  });
  const state = plugins.states().find(({ name }) => name === "attacker")!;
  assert.equal(state.code, "PLUGIN_START_TIMEOUT");
  await waitFor("its process to end", () => plugins.states().every(({ pid }) => pid === undefined));
});

test("what a plugin has started ends with it, wherever it has gone", async (t) => {
  const plugins = await activate(t, makeFolder(t, [{ name: "family" }]), options);
  using context = stepContext();
  const raise = async () =>
    (await plugins.findStep("family/raise").implementation.run({}, context)) as { own: number; pids: number[] };
  const first = await raise();
  assert.deepEqual(first.pids.map(isAlive), [true, true, true]);
  await assert.rejects(plugins.findStep("family/crash").implementation.run({}, context), { code: "PLUGIN_CRASHED" });
  assert.deepEqual(first.pids.map(isAlive), [false, false, false]);
  const isActive = () => plugins.states().find(({ name }) => name === "family")?.state === "active";
  await waitFor("the plugin to be started again", isActive);
  const second = await raise();
  assert.notEqual(second.own, first.own);
  await plugins.stop();
  assert.deepEqual([second.own, ...second.pids].map(isAlive), [false, false, false, false]);
});

test("a plugin cannot have processes journaled that are not its own", async (t) => {
  const plugins = await activate(t, makeFolder(t, [{ name: "family" }]), options);
  using context = stepContext();
  const { implementation } = plugins.findStep("family/claim");
  for (const pid of [process.pid, 1])
    await assert.rejects(implementation.run({ pid } as never, context), { code: "PERMISSION_DENIED" });
  for (const pid of ["1", -1, null]) await assert.rejects(implementation.run({ pid } as never, context), /pid is/);
  assert.deepEqual(context.groups, []);
});

/** What the descriptors of a process lead to. */
function linksOf(pid: number): Record<string, string> {
  const folder = `/proc/${pid}/fd`;
  const links = readdirSync(folder).flatMap((name) => {
    try {
      return [[name, readlinkSync(join(folder, name))]];
    } catch {
      // It was the one by which the list was read.
      return [];
    }
  });
  return Object.fromEntries(links);
}

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}
