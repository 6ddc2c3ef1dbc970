import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { definePlugin, PluginError, PluginUnavailable } from "gantry";
import { failures } from "./failures.js";

class Contract {
  #listeners = new Set();
  #context;
  constructor(context) {
    this.#context = context;
  }
  async echo(...values) {
    return values.length === 1 ? values[0] : values;
  }
  /** Not asynchronous, as a service in the host's process may be. */
  kind(value) {
    return Buffer.isBuffer(value) ? "Buffer" : value instanceof Uint8Array ? "Uint8Array" : typeof value;
  }
  async fail(which) {
    throw failures[which]();
  }
  async askPeer(question) {
    return this.#context.services.peer.answer(question);
  }
  async setup() {
    const { config, device, directory, secret, keyValue, outbox, services } = this.#context;
    writeFileSync(join(directory, "own"), "mine");
    await keyValue.set("a", { b: [1, null, "ü"] });
    await keyValue.set("gone", 1);
    await keyValue.delete("gone");
    const put = [
      await outbox.put("lane", { n: 1 }),
      await outbox.put("lane", "two", { key: "k" }),
      await outbox.put("lane", "two", { key: "k" }),
    ];
    const [first, second] = await outbox.read("lane", 0, 10);
    await outbox.remove("lane", first.id);
    const frozen = [this.#context, config, config.list, config.list[1], services, services.peer].map(Object.isFrozen);
    return {
      config,
      device,
      frozen,
      isDeviceAMember: "device" in this.#context,
      own: readFileSync(join(directory, "own"), "utf8"),
      pin: await secret("pin"),
      noSecret: await secret("hub").catch(({ code }) => code),
      value: await keyValue.get("a"),
      none: [await keyValue.get("gone"), await keyValue.get("never")],
      put,
      messages: [first.message, second.message],
      left: (await outbox.read("lane", 0, 10)).map(({ message }) => message),
      peer: Object.keys(services.peer),
    };
  }
  ticks(options, listener) {
    const tick = { options, listener };
    this.#listeners.add(tick);
    return () => this.#listeners.delete(tick);
  }
  /** For the steps; not part of the service. */
  async tick(value) {
    const outcomes = [];
    for (const { options, listener } of this.#listeners)
      outcomes.push(
        await Promise.resolve(listener({ value, options })).then(
          () => "acknowledged",
          ({ code, message }) => `${code ?? "no code"}: ${message}`,
        ),
      );
    return outcomes;
  }
}

let kept;

const acts = {
  async members(_, context) {
    const { run, directory, idempotencyKey, lastCheckpoint } = context;
    writeFileSync(join(directory, "written"), "by the step");
    return {
      run,
      directory,
      idempotencyKey,
      lastCheckpoint: lastCheckpoint ?? "none",
      read: readFileSync(join(directory, "written"), "utf8"),
    };
  },
  async say({ times = 1 }, { log, progress, checkpoint }) {
    for (let time = 1; time <= times; time++) progress({ percent: time, message: `step ${time}`, details: { time } });
    log.debug("a debug line");
    log.info("a line", { fact: 1 });
    log.warn("with an error", { err: new TypeError("odd") });
    log.error("and a function", { given: () => {}, id: 7 });
    await checkpoint({ at: times });
  },
  async fail({ which }) {
    throw failures[which]();
  },
  async untilAborted(_, { signal, log }) {
    log.info("it waits");
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    const { code, message, name } = signal.reason;
    return { code, message, name, isPluginError: signal.reason instanceof PluginError };
  },
  async alreadyAborted(_, { signal }) {
    signal.throwIfAborted();
  },
  async secret({ key }, { secret }) {
    return { value: await secret(key) };
  },
  async fetch({ url }, { fetch }) {
    const response = await fetch(url);
    return { status: response.status, text: await response.text() };
  },
  async throttle({ bytes }, { throttle }) {
    await throttle(bytes);
    return { passed: bytes };
  },
  async start(_, { processStarted }) {
    const child = spawn("/bin/sh", ["-c", "read -r go"], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
    await processStarted(child.pid);
    child.stdin.end("go\n");
    return { pid: child.pid };
  },
  async service({ question }, { services }) {
    return { answer: await services.peer.answer(question) };
  },
  async tick({ value }, _, contract) {
    return { outcomes: await contract.tick(value) };
  },
  async peerItems({ items }, { services }) {
    const heard = [];
    const stop = await services.peer.items({ items }, async (item) => {
      if (item === "bad") throw new PluginError("CONTRACT_BROKEN", "a bad item");
      heard.push(item);
    });
    const acknowledged = await services.peer.send();
    await stop();
    return { heard, acknowledged, afterStop: await services.peer.send() };
  },
  async large({ bytes }) {
    return { text: "x".repeat(bytes) };
  },
  async strange() {
    return {
      when: new Date(0),
      never: undefined,
      nan: Number.NaN,
      call: () => 1,
      list: [undefined, () => 1],
      map: new Map([[1, 2]]),
    };
  },
  async database(_, context) {
    const database = context.database("ticks");
    await database.migrate(["CREATE TABLE tick (id INTEGER PRIMARY KEY, name TEXT UNIQUE, raw BLOB)"]);
    const insert = "INSERT INTO tick (name, raw) VALUES (?, ?)";
    const changes = [await database.run(insert, ["one", new Uint8Array([0, 255])])];
    changes.push(
      ...(await database.transaction([
        { sql: insert, parameters: ["two", null] },
        { sql: "DELETE FROM tick WHERE id = 9" },
      ])),
    );
    const { raw } = await database.get("SELECT raw FROM tick WHERE id = 1");
    return {
      changes,
      bytes: [raw instanceof Uint8Array, ...raw],
      names: await database.all("SELECT id, name FROM tick ORDER BY id"),
      none: (await database.get("SELECT 1 WHERE 0")) ?? "none",
      failure: await database
        .run(insert, ["one", null])
        .catch(({ code, details }) => ({ code, sqlite: details.sqlite })),
      denied: await database.run("ATTACH '/etc/passwd' AS other").catch(({ code }) => code),
    };
  },
  async nothing() {},
  async holdPeerItems({ items, forEver }, { services, log }) {
    await services.peer.items({ items }, async () => (forEver ? new Promise(() => {}) : undefined));
    log.info("subscribed");
    await new Promise(() => {});
  },
  async keepContext(_, context) {
    kept = context;
  },
  async useKept() {
    kept.log.info("too late");
    kept.progress({ percent: 1 });
    return { code: await kept.checkpoint(1).catch(({ code }) => code) };
  },
  async print({ text }) {
    process.stdout.write(text);
  },
  async chat({ lines }, { log }) {
    for (let line = 0; line < lines; line++) log.info(`line ${line}`);
  },
  async bigInteger() {
    return { value: 1n };
  },
  async circle() {
    const circle = {};
    circle.self = circle;
    return circle;
  },
};

export default definePlugin({
  async setup(context) {
    if (context.config.hub === "away") throw new PluginUnavailable("the hub is away", "Call it back.");
    if (context.config.hub === "broken") throw new PluginError("CONTRACT_BROKEN", "the hub is broken");
    const contract = new Contract(context);
    return {
      steps: {
        use: { run: (input, stepContext) => acts[input.act](input, stepContext, contract) },
        converge: {
          run: async ({ to }) => ({ ran: to }),
          check: async ({ to }) => (to === "here" ? { was: to } : undefined),
          plan: ({ to }) => `goes to ${to}`,
        },
      },
      triggers: {
        ticked: {
          start(options, emit, { workflow, log }) {
            log.info("the trigger starts", { options });
            return contract.ticks(options, async ({ value }) => {
              const { runId } = await emit(value);
              log.info(`run ${runId} of ${workflow}`);
            });
          },
        },
      },
      services: { contract },
      stop: () => writeFileSync(join(context.directory, "stopped"), "yes"),
    };
  },
});
