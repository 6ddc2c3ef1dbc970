// The lives of a test's host, one after another on the same folder.

import { connectControl } from "../control/client.ts";
import { parseDuration } from "../duration.ts";
import type { PluginState } from "../loading/plugin-state.ts";
import type { HostFolder } from "./host-folder.ts";
import type { HostLog } from "./host-log.ts";
import type { Life } from "./life.ts";
import { beginElsewhere } from "./life-elsewhere.ts";
import { beginHere } from "./life-here.ts";
import type { TestHostOptions } from "./test-host-options.ts";

/** Plugins that a host was to have did not become active. */
export class PluginsNotActive extends Error {
  readonly plugins: readonly PluginState[];

  constructor(plugins: readonly PluginState[], logText: string) {
    const words = plugins.map(({ name, state, reason, code }) => `${name} is ${state}: ${reason} (${code})`);
    super(`${words.join("\n")}\n${logText}`);
    this.name = "PluginsNotActive";
    this.plugins = plugins;
  }
}

export class Lives implements AsyncDisposable {
  readonly #options: TestHostOptions;
  readonly #folder: HostFolder;
  readonly #log: HostLog;
  readonly #onEnd: () => Promise<void>;
  /** Of secrets, where the host is in the test's own process. */
  readonly #setHere = new Set<string>();
  #life: Life | undefined;
  #aheadMs = 0;

  /** `onEnd` is called after the end of each. */
  constructor(options: TestHostOptions, folder: HostFolder, log: HostLog, onEnd: () => Promise<void>) {
    this.#options = options;
    this.#folder = folder;
    this.#log = log;
    this.#onEnd = onEnd;
  }

  get current(): Life {
    if (this.#life === undefined) throw new Error("the host is not there: `resume` starts it again");
    return this.#life;
  }

  /** Gives the plugins of the new one. Its clock goes on where that of the last one was. */
  async begin(forThisLife: NodeJS.ProcessEnv): Promise<PluginState[]> {
    if (this.#life !== undefined) throw new Error("the host is there already: stop it or kill it before");
    const { config, data } = this.#folder;
    const { logLevel = "debug", process: own = false, secrets = {}, environment = {}, faulty = false } = this.#options;
    const onLine = (line: string) => this.#log.take(line);
    const options = { config, data, logLevel, aheadMs: this.#aheadMs, onLine };
    const named = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [`GANTRY_SECRET_${name}`, value]));
    if (own)
      this.#life = await beginElsewhere({ ...options, environment: { ...environment, ...named, ...forThisLife } });
    else {
      Object.assign(process.env, named);
      for (const name of Object.keys(named)) this.#setHere.add(name);
      this.#life = await beginHere(options);
    }
    const plugins = await this.plugins();
    const others = plugins.filter(({ state }) => state !== "active");
    if (!faulty && others.length > 0) throw new PluginsNotActive(others, this.#log.text());
    return plugins;
  }

  plugins(): Promise<PluginState[]> {
    return this.call("plugins.list", {});
  }

  async call<Result>(method: string, params: object): Promise<Result> {
    void this.current;
    using client = await connectControl(this.#folder.data);
    if (client === undefined) throw new Error(`the host does not answer\n${this.#log.text()}`);
    return await client.call<Result>(method, params);
  }

  async advance(duration: string): Promise<void> {
    const durationMs = parseDuration(duration);
    if (durationMs === undefined) throw new Error(`"${duration}" is no duration such as 10m`);
    this.#aheadMs += durationMs;
    await this.#life?.advance(durationMs);
  }

  async kill(): Promise<void> {
    await this.current.kill();
    await this.#end();
  }

  async stop(): Promise<void> {
    await this.#life?.stop();
    await this.#end();
  }

  /** Resolves once it is gone, whoever ended it. */
  async gone(): Promise<void> {
    await this.#life?.gone;
    await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.stop();
    } finally {
      for (const name of this.#setHere) delete process.env[name];
    }
  }

  async #end(): Promise<void> {
    this.#life = undefined;
    await this.#onEnd();
  }
}
