// One contract, two carriers: everything a plugin can do gives the same in the host's process and in one of its own.

import assert from "node:assert/strict";
import { randomUUIDv7 } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { toFailure } from "../../host/errors.ts";
import { type Emission, PluginError, type StepContext } from "../../host/sdk.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { copyFixture } from "../loading/host-folder.ts";
import { listen } from "../support/listen.ts";
import { type LogLine, recordingLog } from "../support/recording-log.ts";
import { stepContext } from "../support/step-context.ts";
import { activate, carriers, isolationOf, makeFolder } from "./carriers.ts";

/** Where the engine would let a run work. */
function runFolder({ dataDirectory }: { dataDirectory: string }): string {
  const directory = join(dataDirectory, "runs", randomUUIDv7());
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

const device = { deviceId: "org.example:gateway-1" };

for (const carrier of carriers) {
  const start = async (t: TestContext, config: object = {}, files: Record<string, unknown> = {}) => {
    const entry = isolationOf(carrier);
    const folder = makeFolder(
      t,
      [
        { name: "contract", config, ...entry },
        { name: "peer", ...entry },
      ],
      files,
      { device },
    );
    const plugins = await activate(t, folder);
    const service = plugins.services.contract as Record<string, (...args: unknown[]) => Promise<unknown>>;
    /** What the step gives, as the journal takes it. */
    const use = async (act: string, input: object = {}, context: Partial<StepContext> = {}) => {
      using recorded = stepContext({ services: plugins.services, ...context });
      const step = plugins.findStep("contract/use");
      const output = await step.implementation.run(
        { act, ...input },
        { ...recorded, fetch: step.fetch, database: step.database, ...context },
      );
      return output === undefined ? undefined : (JSON.parse(JSON.stringify(output)) as unknown);
    };
    return { plugins, service, use, folder };
  };

  test(`a plugin ${carrier} gets its configuration, identity, folder, secrets and store`, async (t) => {
    process.env.GANTRY_SECRET_CONTRACT_PIN = "4711";
    t.after(() => delete process.env.GANTRY_SECRET_CONTRACT_PIN);
    const { service } = await start(t, { pin: { $secret: "CONTRACT_PIN" } });
    assert.deepEqual(await service.setup!(), {
      config: { list: [1, { two: 2 }], pin: { $secret: "CONTRACT_PIN" } },
      device,
      isDeviceAMember: true,
      frozen: [true, true, true, true, true, true],
      own: "mine",
      pin: "4711",
      noSecret: "SECRET_MISSING",
      value: { b: [1, null, "ü"] },
      none: [undefined, undefined],
      put: ["stored", "stored", "duplicate"],
      messages: [{ n: 1 }, "two"],
      left: ["two"],
      peer: ["answer", "send", "items"],
    });
  });

  test(`a step ${carrier} sees its run and works in its directory`, async (t) => {
    const { plugins, use } = await start(t);
    const run = { id: "r", workflow: "w", retryOf: null };
    const directory = runFolder(plugins);
    using context = stepContext({ run, directory, lastCheckpoint: { at: [1] } });
    const expected = { run, directory, idempotencyKey: "run-1/step", read: "by the step" };
    assert.deepEqual(await use("members", {}, context), { ...expected, lastCheckpoint: { at: [1] } });
    assert.deepEqual(await use("members", {}, { ...context, lastCheckpoint: undefined }), {
      ...expected,
      lastCheckpoint: "none",
    });
  });

  test(`a step ${carrier} logs, reports and remembers, in order and before it ends`, async (t) => {
    const { use } = await start(t);
    using context = stepContext();
    await use("say", { times: 3 }, context);
    assert.deepEqual(
      context.reports,
      [1, 2, 3].map((time) => ({ percent: time, message: `step ${time}`, details: { time } })),
    );
    assert.deepEqual(context.checkpoints, [{ at: 3 }]);
    assert.deepEqual(
      context.lines.map(({ level, text }) => `${level} ${text}`),
      ["debug a debug line", "info a line", "warn with an error", "error and a function"],
    );
    assert.deepEqual(context.lines[1]?.fields, { fact: 1 });
    assert.equal((context.lines[2]!.fields.err as Error).message, "odd");
    assert.equal(context.lines[3]?.fields.id, 7);
  });

  test(`a step ${carrier} has the verbs that it contributes and no others`, async (t) => {
    const { plugins } = await start(t);
    using context = stepContext();
    const { implementation } = plugins.findStep("contract/converge");
    assert.deepEqual(await implementation.run({ to: "there" }, context), { ran: "there" });
    assert.deepEqual(await implementation.check!({ to: "here" }, context), { was: "here" });
    assert.equal(await implementation.check!({ to: "there" }, context), undefined);
    assert.equal(await implementation.plan!({ to: "there" }, context), "goes to there");
    assert.deepEqual(Object.keys(plugins.findStep("contract/use").implementation), ["run"]);
  });

  test(`a failure ${carrier} keeps its code, details, answer and whether to try again`, async (t) => {
    const { plugins, service, use } = await start(t);
    const { errors } = plugins.findStep("contract/use");
    const remedy = "Mend it.";
    const expected = {
      coded: {
        code: "CONTRACT_BROKEN",
        message: "it broke",
        retryable: true,
        remedy,
        details: { part: 3, list: [null] },
        answer: { status: 409, error: "x:y" },
      },
      final: { code: "CONTRACT_BROKEN", message: "for good", retryable: false, remedy },
      undeclared: { code: "NEVER_DECLARED", message: "unknown", retryable: true },
      plain: { code: "STEP_FAILED", message: "just an error", retryable: true, remedy: /gantry show/ },
      system: { code: "ENOENT", message: "ENOENT: no such file", retryable: true },
      text: { code: "STEP_FAILED", message: "only a text", retryable: true },
      nothing: { code: "STEP_FAILED", message: "undefined", retryable: true },
    };
    for (const [which, failure] of Object.entries(expected))
      for (const attempt of [() => use("fail", { which }), () => service.fail!(which)]) {
        const thrown = await attempt().then(
          () => assert.fail("it did not fail"),
          (error: unknown) => error,
        );
        // Of a mistake in the plugin's code it is told where that is.
        const { remedy: found, place, ...rest } = toFailure(thrown, errors);
        if (which === "plain") assert.match(place ?? "", /plugins\/contract\/failures\.js:\d+:\d+$/);
        else assert.equal(place, undefined, which);
        const { remedy: wanted, ...wantedRest } = failure as typeof failure & { remedy?: string | RegExp };
        assert.deepEqual(rest, wantedRest, which);
        if (wanted instanceof RegExp) assert.match(found ?? "", wanted);
        else assert.equal(found, wanted, which);
        assert.equal(thrown instanceof PluginError, ["coded", "final", "undeclared"].includes(which), which);
      }
    await assert.rejects(service.fail!("circular"), { code: "CONTRACT_BROKEN", message: "round" });
  });

  test(`an abort reaches a step ${carrier} with its reason`, async (t) => {
    const { use } = await start(t);
    using context = stepContext();
    const attempt = use("untilAborted", {}, context);
    await waitFor("the step to wait", () => context.lines.length > 0);
    context.controller.abort(new PluginError("STEP_TIMEOUT", "not done within 5 ms"));
    const reason = { code: "STEP_TIMEOUT", message: "not done within 5 ms", name: "PluginError", isPluginError: true };
    assert.deepEqual(await attempt, reason);
    await assert.rejects(use("alreadyAborted", {}, context), { code: "STEP_TIMEOUT" });
  });

  test(`a step ${carrier} reads secrets, waits for its share of the line and tells of what it starts`, async (t) => {
    const { use } = await start(t);
    const asked: unknown[] = [];
    using context = stepContext({
      secret: async (key) => {
        if (key !== "pin") throw new PluginError("SECRET_MISSING", `no ${key}`);
        return "4711";
      },
      throttle: async (bytes) => void asked.push(bytes),
      processStarted: async (pid) => void asked.push(pid),
    });
    assert.deepEqual(await use("secret", { key: "pin" }, context), { value: "4711" });
    await assert.rejects(use("secret", { key: "other" }, context), { code: "SECRET_MISSING", message: "no other" });
    assert.deepEqual(await use("throttle", { bytes: 65_536 }, context), { passed: 65_536 });
    const { pid } = (await use("start", {}, context)) as { pid: number };
    assert.deepEqual(asked, [65_536, pid]);
  });

  test(`a step ${carrier} fetches from the hosts of its manifest and no others`, async (t) => {
    const { use } = await start(t);
    await using server = await listen(createServer((_, response) => void response.end("hello")));
    const { port } = server;
    assert.deepEqual(await use("fetch", { url: `http://127.0.0.1:${port}/` }), { status: 200, text: "hello" });
    await assert.rejects(use("fetch", { url: `http://localhost:${port}/` }), { code: "PERMISSION_DENIED" });
  });

  test(`values pass through a service ${carrier} as they are, bytes included`, async (t) => {
    const { service } = await start(t);
    const values = [
      null,
      0,
      -1.5,
      "",
      "ünï\u0000\n\u2028",
      [],
      {},
      [null, [1, { a: [true] }]],
      { "a.b": 1, "": 2, "/~": 3 },
      JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}'),
      Buffer.from([0, 255, 10]),
      { payload: Buffer.from("x"), list: [new Uint8Array([1, 2])] },
      { kind: "undefined", extras: [[["a"], "undefined"]] },
    ];
    for (const value of values) assert.deepEqual(await service.echo!(value), value);
    assert.deepEqual(await service.echo!(1, undefined, [undefined]), [1, undefined, [undefined]]);
    assert.equal(await service.echo!(undefined), undefined);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    assert.equal(await service.kind!(Buffer.from("a")), "Buffer");
    assert.equal(await service.kind!(new Uint8Array(2)), "Uint8Array");
    assert.deepEqual(await service.echo!(Buffer.alloc(1 << 20, 7)), Buffer.alloc(1 << 20, 7));
  });

  test(`a plugin ${carrier} calls the services of others, and their failures reach it`, async (t) => {
    const { service, use } = await start(t);
    assert.deepEqual(await service.askPeer!("who"), { question: "who" });
    assert.deepEqual(await use("service", { question: { deep: [1] } }), { answer: { question: { deep: [1] } } });
    const failure = { code: "PEER_SILENT", message: "no answer", retryable: false, details: { question: "why" } };
    await assert.rejects(service.askPeer!("why"), failure);
    await assert.rejects(use("service", { question: "why" }), failure);
  });

  test(`the items of a stream ${carrier} are acknowledged by their listener, both ways, until it is stopped`, async (t) => {
    const { service, use } = await start(t);
    const heard: unknown[] = [];
    const stop = (await service.ticks!({ of: "clock" }, async (item: { value: unknown }) => {
      if (item.value === "bad") throw new PluginError("LISTENER_BUSY", "not now");
      heard.push(item);
    })) as () => Promise<void>;
    assert.deepEqual(await use("tick", { value: 1 }), { outcomes: ["acknowledged"] });
    assert.deepEqual(await use("tick", { value: "bad" }), { outcomes: ["LISTENER_BUSY: not now"] });
    assert.deepEqual(heard, [{ value: 1, options: { of: "clock" } }]);
    await stop();
    assert.deepEqual(await use("tick", { value: 2 }), { outcomes: [] });
    assert.deepEqual(await use("peerItems", { items: [1, "bad", { a: 1 }] }), {
      heard: [1, { a: 1 }],
      acknowledged: [true, "CONTRACT_BROKEN", true],
      afterStop: [],
    });
  });

  test(`a trigger ${carrier} emits, learns what came of it, and stops`, async (t) => {
    const { plugins, use } = await start(t);
    const emitted: Emission[] = [];
    const lines: LogLine[] = [];
    const emit = async (emission: Emission) => {
      const { name } = emission.input as { name?: string };
      if (name === "wrong") throw new PluginError("QUEUE_FULL", "later", { retryable: true });
      emitted.push(emission);
      return { runId: `run-${emitted.length}` };
    };
    const context = { workflow: "w", index: 0, log: recordingLog(lines) };
    const stop = await plugins.startTrigger("contract/ticked", { at: "dawn" }, emit, context);
    const delivery = { key: "k", fingerprint: "f", redelivered: true };
    const answer = { when: { after: "stage" }, to: { topic: "c" } };
    const emission: Emission = { input: { name: "one" }, event: { topic: "a/b" }, delivery, answer };
    assert.deepEqual(await use("tick", { value: emission }), { outcomes: ["acknowledged"] });
    assert.deepEqual(emitted, [emission]);
    assert.deepEqual(await use("tick", { value: { input: { name: "wrong" } } }), { outcomes: ["QUEUE_FULL: later"] });
    assert.match(JSON.stringify(await use("tick", { value: { input: "no object" } })), /INPUT_INVALID/);
    assert.deepEqual(
      lines.map(({ text, fields }) => [text, fields.plugin]),
      [
        ["the trigger starts", "contract"],
        ["run run-1 of w", "contract"],
      ],
    );
    await stop();
    assert.deepEqual(await use("tick", { value: emission }), { outcomes: [] });
  });

  test(`a plugin ${carrier} has databases of its own`, async (t) => {
    const { use } = await start(t);
    assert.deepEqual(await use("database"), {
      changes: [
        { changes: 1, lastId: 1 },
        { changes: 1, lastId: 2 },
        { changes: 0, lastId: 2 },
      ],
      bytes: [true, 0, 255],
      names: [
        { id: 1, name: "one" },
        { id: 2, name: "two" },
      ],
      none: "none",
      failure: { code: "DATABASE_FAILED", sqlite: 2067 },
      denied: "DATABASE_DENIED",
    });
  });

  test(`what a step ${carrier} returns reaches the journal as JSON`, async (t) => {
    const { use } = await start(t);
    assert.deepEqual(await use("strange"), {
      when: "1970-01-01T00:00:00.000Z",
      nan: null,
      list: [null, null],
      map: {},
    });
    assert.equal(await use("nothing"), undefined);
    assert.equal(((await use("large", { bytes: 3 << 20 })) as { text: string }).text.length, 3 << 20);
  });

  test(`a plugin ${carrier} that is unavailable or fails says so in the same words`, async (t) => {
    const { plugins } = await start(t, { hub: "away" });
    const facts = ({ state, code, reason, remedy }: ReturnType<typeof plugins.states>[number]) => [
      state,
      code,
      reason,
      remedy,
    ];
    const stateOf = (running: typeof plugins) => facts(running.states().find(({ name }) => name === "contract")!);
    assert.deepEqual(stateOf(plugins), ["unavailable", "PLUGIN_UNAVAILABLE", "the hub is away", "Call it back."]);
    const { plugins: others } = await start(t, { hub: "broken" });
    const [state, code, reason] = stateOf(others);
    assert.deepEqual([state, code, reason], ["failed", "PLUGIN_START_FAILED", "the hub is broken (CONTRACT_BROKEN)"]);
  });

  test(`a plugin ${carrier} whose code and manifest disagree is refused with every difference`, async (t) => {
    const name = "mixed";
    const description = "Does it.";
    const manifest = {
      name,
      version: "1.0.0",
      host: "^1.0.0",
      main: "index.js",
      steps: { act: { description, input: {} }, hollow: { description, input: {} } },
      triggers: { seen: { description } },
      provides: { tank: { methods: { fill: {}, drain: {} } } },
    };
    const code = `import { definePlugin } from "gantry";
export default definePlugin({ setup: () => ({
  steps: { extra: { run() {} }, hollow: {} }, services: { tank: { fill: async () => {} } }, stop: 5,
}) });`;
    const folder = makeFolder(t, [{ name, ...isolationOf(carrier) }], {
      [`plugins/${name}/plugin.json`]: manifest,
      [`plugins/${name}/package.json`]: { type: "module" },
      [`plugins/${name}/index.js`]: code,
    });
    const plugins = await activate(t, folder);
    const state = plugins.states().find((plugin) => plugin.name === name)!;
    assert.deepEqual([state.state, state.code], ["failed", "PLUGIN_CONTRACT_BROKEN"]);
    for (const part of [
      "step act is declared but not contributed",
      "step extra is contributed but not declared",
      "step hollow has no `run`",
      "trigger seen is declared but not contributed",
      "service tank has no `drain`",
      "`stop` is no function",
    ])
      assert.ok(state.reason?.includes(part), `${part} in: ${state.reason}`);
  });

  test(`a plugin ${carrier} is told to stop, and its services reject afterwards`, async (t) => {
    const { plugins, service } = await start(t);
    await plugins.stop();
    assert.equal(readFileSync(join(plugins.dataDirectory, "plugins", "contract", "stopped"), "utf8"), "yes");
    await assert.rejects(async () => service.echo!(1), { code: "PLUGIN_UNAVAILABLE" });
    assert.ok(!existsSync(`/proc/${plugins.states().find(({ name }) => name === "contract")?.pid}`));
  });

  test(`the plugins of the fixtures meet ${carrier}`, async (t) => {
    const entry = isolationOf(carrier);
    const folder = makeFolder(t, []);
    copyFixture(folder, "lamp");
    copyFixture(folder, "switch");
    const plugins = ["switch", "lamp"].map((name) => ({ plugin: `./plugins/${name}`, ...entry }));
    writeFileSync(folder.configurationFile, JSON.stringify({ plugins }));
    const running = await activate(t, folder);
    const pressed: string[] = [];
    await running.services.lamp!.presses!(
      { button: "main" },
      async ({ button }: { button: string }) => void pressed.push(button),
    );
    const { implementation } = running.findStep("switch/press");
    assert.deepEqual(await implementation.run({ button: "main" }, undefined as never), {
      reached: 1,
      members: ["press", "settings", "presses"],
    });
    assert.deepEqual(pressed, ["main"]);
    const directory = join(running.dataDirectory, "plugins", "lamp");
    assert.deepEqual(await running.services.lamp!.settings!(), { device: "/dev/lamp0", brightness: 50, directory });
    const blink = running.findStep("lamp/blink").implementation;
    assert.deepEqual(await blink.run({ times: 2, colour: "red" }, undefined as never), { blinked: 2, colour: "red" });
    assert.equal(await blink.plan!({ times: 2 }, undefined as never), "blinks 2 times");
  });
}
