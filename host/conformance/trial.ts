// A host in which examples of one plugin are tried: those that share a configuration, in one carrier.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../sdk.ts";
import { startTestHost, type TestHost } from "../testing/test-host.ts";
import type { TestRun } from "../testing/test-run.ts";
import { layOut } from "./example-folder.ts";
import { type ExampleServer, serveExamples } from "./example-server.ts";
import { type Example, preparationOf, preparingPlugins, runOf, workflowsOf } from "./examples.ts";
import type { Carrier } from "./finding.ts";
import type { TriedPlugin } from "./inspect.ts";

/** How long one example may take. */
const patienceMs = 120_000;

export class Trial implements AsyncDisposable {
  readonly host: TestHost;
  readonly plugin: TriedPlugin;
  readonly carrier: Carrier;
  readonly #server: ExampleServer;
  /** The most its process has held, in bytes. */
  #peakBytes = 0;

  /** Rejects where a host with this plugin and these examples cannot be started. */
  static async begin(plugin: TriedPlugin, carrier: Carrier, config: JsonObject, examples: Example[]): Promise<Trial> {
    const filesOf = (number: number) => examples.find((example) => example.number === number)?.files ?? {};
    const server = await serveExamples(filesOf);
    try {
      return new Trial(await startHost(plugin, carrier, config, examples), plugin, carrier, server);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(host: TestHost, plugin: TriedPlugin, carrier: Carrier, server: ExampleServer) {
    this.host = host;
    this.plugin = plugin;
    this.carrier = carrier;
    this.#server = server;
  }

  /** In the folder of a run, which every plugin may use; no run has such a name. */
  folderOf({ number }: Example): string {
    return join(this.host.data, "runs", `0-example-${number}`);
  }

  /** The whole example in its folder as it is at first. */
  async run(example: Example): Promise<TestRun> {
    return this.host.ended(await this.start(example), { timeoutMs: patienceMs });
  }

  /** `folder`: where else than in the example's own folder. */
  async start(example: Example, folder = this.folderOf(example)): Promise<string> {
    layOut(folder, example.files ?? {});
    return this.host.start(runOf(example), this.#inputOf(example, folder));
  }

  /** Brings the example's folder to where the step that is tried begins. */
  async prepare(example: Example): Promise<void> {
    layOut(this.folderOf(example), example.files ?? {});
    if ((example.before ?? []).length > 0) await this.host.run(preparationOf(example), this.#inputOf(example));
  }

  /** Before each end of its process. */
  async notePeak(): Promise<void> {
    const state = (await this.host.plugins()).find(({ name }) => name === this.plugin.manifest.name);
    if (state?.pid !== undefined) this.#peakBytes = Math.max(this.#peakBytes, peakOf(state.pid));
  }

  get peakMb(): number {
    return Math.ceil(this.#peakBytes / 1_048_576);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }

  #inputOf(example: Example, folder = this.folderOf(example)): JsonObject {
    return { directory: folder, server: `${this.#server.address}/${example.number}` };
  }
}

function startHost(plugin: TriedPlugin, carrier: Carrier, config: JsonObject, examples: Example[]): Promise<TestHost> {
  const { directory, manifest, builtIn, usesMqtt } = plugin;
  const own = builtIn ? { isolation: "tried" } : {};
  const entry = { plugin: directory, config, ...(carrier === "process" ? own : { isolation: "in-process" }) };
  const known = new Set([manifest.name, "host", ...plugin.others.map(({ name }) => name)]);
  const given = plugin.others.map((other) => other.plugin);
  const others = [...given, ...preparingPlugins(examples).filter((name) => !known.has(name))];
  return startTestHost({
    plugins: [entry, ...others],
    workflows: workflowsOf(examples),
    ...(usesMqtt || others.includes("mqtt") ? { broker: "embedded" as const } : {}),
    process: true,
  });
}

/** The most a process has ever held; 0 once it is gone. */
function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
