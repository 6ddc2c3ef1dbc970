// The triggers of the plugin `host` on a real store, without an engine: what they emit goes to the test.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import hostPlugin from "../../host/builtin/index.ts";
import type { Emission, Emit, JsonObject, KeyValue, PluginContext, Stop, Trigger } from "../../host/sdk.ts";
import { openStore } from "../../host/store/open.ts";
import { type LogLine, recordingLog } from "../support/recording-log.ts";

type Name = "schedule" | "startup";

export interface HostTriggers {
  keyValue: KeyValue;
  lines: LogLine[];
  /** What was emitted and accepted. */
  emissions: Emission[];
  /** Throws for what is not to be accepted. */
  refuse: ((emission: Emission) => void) | undefined;
  /** Starts the trigger as a new host does. */
  start(name: Name, options?: JsonObject): Promise<Stop>;
  /** Starts it again and again in one host. */
  inOneHost(name: Name, options?: JsonObject): Promise<() => Promise<Stop>>;
}

export async function hostTriggers(t: TestContext): Promise<HostTriggers> {
  const directory = mkdtempSync(join(tmpdir(), "gantry-triggers-"));
  const store = await openStore(directory);
  const stops: Stop[] = [];
  t.after(async () => {
    for (const stop of stops) await stop();
    await store.close();
    rmSync(directory, { recursive: true });
  });
  const triggers: HostTriggers = {
    keyValue: store.keyValue("host"),
    lines: [],
    emissions: [],
    refuse: undefined,
    start: async (name, options) => (await triggers.inOneHost(name, options))(),
    async inOneHost(name, options = {}) {
      const context = { config: {}, keyValue: triggers.keyValue } as unknown as PluginContext;
      const trigger = (await hostPlugin.setup(context)).triggers![name] as Trigger<JsonObject>;
      const settings = name === "schedule" ? { missed: "run-once", ...options } : options;
      const emit: Emit = async (emission) => {
        triggers.refuse?.(emission);
        return { runId: String(triggers.emissions.push(emission)) };
      };
      return async () => {
        const about = { workflow: "test", index: 0, log: recordingLog(triggers.lines) };
        const stop = await trigger.start(settings, emit, about);
        stops.push(stop);
        return stop;
      };
    },
  };
  return triggers;
}
