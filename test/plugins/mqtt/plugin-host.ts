// The mqtt plugin as a host starts it, over a real store, with what it says recorded.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileSchema } from "../../../host/documents/schema-check.ts";
import type { Emit, JsonObject, PluginContext, Step, Stop, Trigger } from "../../../host/sdk.ts";
import { openStore } from "../../../host/store/open.ts";
import type { Store } from "../../../host/store/store.ts";
import plugin from "../../../plugins/mqtt/index.ts";
import manifest from "../../../plugins/mqtt/plugin.json" with { type: "json" };
import type { Mqtt } from "../../../plugins/mqtt/service.ts";
import { type LogLine, recordingLog } from "../../support/recording-log.ts";
import { stepContext } from "../../support/step-context.ts";

export interface RunningPlugin {
  mqtt: Mqtt;
  lines: LogLine[];
  /** Runs `mqtt/publish` or `mqtt/request`. */
  step(name: "publish" | "request", input: JsonObject, key?: string): Promise<unknown>;
  onMessage(options: JsonObject, emit: Emit): Promise<Stop>;
  stop(): Promise<void>;
}

/** A data folder for several lives of the plugin. */
export class PluginHost implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "gantry-mqtt-"));
  readonly #running = new Set<RunningPlugin>();
  #store: Store | undefined;

  async start(config: JsonObject, secrets: Record<string, string> = {}): Promise<RunningPlugin> {
    this.#store ??= await openStore(this.#directory);
    const filled = structuredClone(config);
    compileSchema(manifest.config as unknown as JsonObject, { defaults: true })(filled);
    const lines: LogLine[] = [];
    const context: PluginContext = {
      config: filled,
      services: {},
      log: recordingLog(lines),
      device: undefined,
      directory: this.#directory,
      secret: async (key) => secrets[key]!,
      keyValue: this.#store.keyValue("mqtt"),
      outbox: this.#store.outbox("mqtt"),
      database: (name) => this.#store!.database("mqtt", name),
    };
    const contributions = await plugin.setup(context);
    const running: RunningPlugin = {
      mqtt: contributions.services!.mqtt as unknown as Mqtt,
      lines,
      async step(name, input, key) {
        using step = stepContext(
          key === undefined ? { idempotencyKey: `run/${Math.random()}` } : { idempotencyKey: key },
        );
        const given = structuredClone(input);
        compileSchema(manifest.steps[name].input as unknown as JsonObject, { defaults: true })(given);
        return await (contributions.steps![name] as Step<JsonObject, unknown>).run(given, step);
      },
      async onMessage(options, emit) {
        const trigger = contributions.triggers!.message as Trigger<JsonObject>;
        return trigger.start({ qos: 1, ...options }, emit, { workflow: "test", index: 0, log: recordingLog(lines) });
      },
      stop: async () => {
        this.#running.delete(running);
        await contributions.stop!();
      },
    };
    this.#running.add(running);
    return running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running) await running.stop();
    await this.#store?.close();
    rmSync(this.#directory, { recursive: true });
  }
}

export function said(running: RunningPlugin, pattern: RegExp): boolean {
  return running.lines.some(({ text }) => pattern.test(text));
}
