// One host that follows its files: what has changed is checked, and takes the place of what was before while all else goes
// on. What is wrong is told, and the host goes on with what was right.

import { join } from "node:path";
import { GantryError, toFailure } from "../errors.ts";
import { type Host, startHost } from "../host.ts";
import { contentHash } from "../loading/content-hash.ts";
import type { InstalledPlugin } from "../loading/installed-plugin.ts";
import type { Patience } from "../loading/open-calls.ts";
import type { PluginState } from "../loading/plugin-state.ts";
import { type HostDocuments, readHost } from "../loading/read-host.ts";
import type { HostLog } from "../log.ts";
import { refreshTypes } from "../scaffold/write-types.ts";
import { forDevelopment, haveSameWorkflows, isBroken, needsNewHost } from "./compare-documents.ts";
import type { DevEvent } from "./events.ts";
import { type GivenStep, LastInputs } from "./last-inputs.ts";
import { loadFailure } from "./load-failure.ts";
import { placesOf } from "./places.ts";
import { Repetition } from "./repetition.ts";
import { WatchedFiles } from "./watched-files.ts";

export interface SessionOptions {
  config: string;
  /** Absolute. */
  dataDirectory: string;
  log: HostLog;
  patience: Patience;
  tell: (event: DevEvent) => void;
  /** A step that is run at the start and after each change, instead of what ran last. */
  step: GivenStep | undefined;
  /** Whether a step of a plugin that has changed runs again with its last input. */
  repeats: boolean;
}

export class DevSession {
  readonly #options: SessionOptions;
  readonly #lastInputs = new LastInputs();
  readonly #repetition: Repetition;
  #documents: HostDocuments;
  #host: Host | undefined;
  #taking: Promise<void> | undefined;
  /** What was in the folders of the plugins that are at work, by name. */
  #contents = new Map<string, string>();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#repetition = new Repetition(options);
    this.#documents = forDevelopment(readHost(options.config));
  }

  /** Follows the files until it is told to end; then the host suspends its runs. Rejects where no host can be started. */
  async run(ended: Promise<unknown>): Promise<void> {
    const over = ended.then(() => "over" as const);
    try {
      this.#tellFaults(this.#documents);
      await this.#start();
      const { step } = this.#options;
      if (step !== undefined) this.#repetition.begin([step], this.#host);
      while ((await this.#follow(over)) !== "over");
    } finally {
      this.#repetition.end();
      await this.#host?.stop();
      // What was being taken up may have begun another host.
      await this.#taking;
      await this.#host?.stop();
    }
  }

  /** Until the documents name other places to watch, or it is over. */
  async #follow(over: Promise<"over">): Promise<"over" | "elsewhere"> {
    const { tell, dataDirectory } = this.#options;
    const places = placesOf(this.#documents);
    const onFault = ({ code, message, remedy }: GantryError) => tell({ event: "failed", code, message, remedy });
    using files = new WatchedFiles({ ...places, except: dataDirectory }, onFault);
    tell({ event: "watching", ...places });
    for (;;) {
      const changed = await Promise.race([files.next(), over]);
      if (changed === "over") return changed;
      tell({ event: "changed", files: changed });
      // A file may go while it is read; the next change brings the rest.
      this.#taking = this.#take().catch((error: unknown) => tell({ event: "failed", ...toFailure(error) }));
      await Promise.race([this.#taking, over]);
      if (JSON.stringify(placesOf(this.#documents)) !== JSON.stringify(places)) return "elsewhere";
    }
  }

  async #take(): Promise<void> {
    const { tell, config } = this.#options;
    const before = this.#documents;
    const now = forDevelopment(readHost(config));
    this.#tellFaults(now);
    if (isBroken(before, now)) return tell({ event: "kept", what: "everything" });
    if (this.#host === undefined || needsNewHost(before, now)) return this.#startAgain(now);
    await this.#refreshTypes(before, now);
    const all = await this.#changedPlugins(before, now);
    const changed = all.filter((plugin) => !isInProcess(plugin));
    for (const plugin of all) if (isInProcess(plugin)) await this.#keep(plugin);
    for (const plugin of changed) if (!(await this.#isSound(plugin))) return;
    if (changed.length > 0) this.#repetition.end();
    const replaced: InstalledPlugin[] = [];
    for (const plugin of changed) if (await this.#replace(plugin)) replaced.push(plugin);
    this.#documents = now;
    await this.#host.update(now);
    if (!haveSameWorkflows(before, now)) tell({ event: "workflows", active: now.workflows.map(({ name }) => name) });
    if (replaced.length > 0) this.#repeatAfter(replaced);
  }

  /** Of plugins whose manifest has changed. */
  async #refreshTypes(before: HostDocuments, now: HostDocuments): Promise<void> {
    const { tell } = this.#options;
    for (const { name, directory, manifest } of outsideOf(now)) {
      const earlier = before.plugins.find((plugin) => plugin.name === name)?.manifest;
      if (JSON.stringify(earlier) === JSON.stringify(manifest)) continue;
      // Types that cannot be made keep nobody from working.
      await refreshTypes(directory, manifest).catch((error: unknown) =>
        tell({ event: "failed", plugin: name, ...toFailure(error) }),
      );
    }
  }

  async #changedPlugins(before: HostDocuments, now: HostDocuments): Promise<InstalledPlugin[]> {
    const contents = await this.#contentsOf(now);
    const isChanged = (plugin: InstalledPlugin) => {
      const earlier = before.plugins.find(({ name }) => name === plugin.name);
      const isSame = contents.get(plugin.name) === this.#contents.get(plugin.name);
      // Its configuration may have changed.
      return !isSame || JSON.stringify(earlier) !== JSON.stringify(plugin);
    };
    return outsideOf(now).filter(isChanged);
  }

  /** Whether it can be replaced, and its module imported; what is wrong with it is told. */
  async #isSound(plugin: InstalledPlugin): Promise<boolean> {
    try {
      await this.#host!.plugins.tryOut(plugin);
      return true;
    } catch (error) {
      const { tell } = this.#options;
      tell({ event: "failed", plugin: plugin.name, ...(await loadFailure(error, plugin.directory)) });
      tell({ event: "kept", what: plugin.name });
      return false;
    }
  }

  /** What this process has imported it cannot import again. That is told once, and keeps nothing else from being taken. */
  async #keep({ name, directory }: InstalledPlugin): Promise<void> {
    const { tell } = this.#options;
    this.#contents.set(name, await this.#contentOf(directory));
    const { code, message, remedy } = new GantryError("PLUGIN_IN_USE", "it is part of the process of gantry dev");
    tell({ event: "failed", plugin: name, code, message, remedy });
    tell({ event: "kept", what: name });
  }

  /** Gives whether the new one works. */
  async #replace(plugin: InstalledPlugin): Promise<boolean> {
    const { tell } = this.#options;
    const { name, directory } = plugin;
    // Before it is started: what changes meanwhile is another change.
    this.#contents.set(name, await this.#contentOf(directory));
    const replaced = this.#host!.plugins.replace(plugin);
    // Steps wait by the time anybody hears of it.
    tell({ event: "replacing", plugin: name });
    const { state, displaced } = await replaced;
    if (state.state === "active")
      tell({ event: "replaced", plugin: name, version: state.version, begunAgain: displaced });
    else this.#tellState(state);
    return state.state === "active";
  }

  #repeatAfter(replaced: InstalledPlugin[]): void {
    const { step, repeats } = this.#options;
    if (step === undefined && !repeats) return;
    const { runs } = this.#host!.store;
    const given = step === undefined ? replaced.flatMap(({ name }) => this.#lastInputs.of(name, runs) ?? []) : [step];
    this.#repetition.begin(given, this.#host);
  }

  async #startAgain(documents: HostDocuments): Promise<void> {
    this.#options.tell({ event: "restarting" });
    this.#repetition.end();
    await this.#host?.plugins.quieten();
    await this.#host?.stop();
    this.#host = undefined;
    this.#documents = documents;
    await this.#start();
  }

  async #start(): Promise<void> {
    const { dataDirectory, log, tell, patience } = this.#options;
    const documents = this.#documents;
    if (documents.configuration === undefined) return;
    this.#contents = await this.#contentsOf(documents);
    this.#host = await startHost({ documents, dataDirectory, log, plugins: { development: true, patience } });
    const { engine, plugins } = this.#host;
    this.#lastInputs.follow(engine);
    engine.on("step", (facts) => tell({ event: "step", ...facts }));
    engine.on("progress", (facts) => tell({ event: "progress", ...facts }));
    tell({ event: "ready" });
    for (const state of plugins.states()) if (state.state !== "active") this.#tellState(state);
  }

  #tellState({ name, code = "PLUGIN_START_FAILED", reason = "it is not active", remedy }: PluginState): void {
    // Whoever watches is at work on what has failed; only what a plugin itself asks for is worth saying.
    const isWish = code === "PLUGIN_UNAVAILABLE" && remedy !== undefined;
    const facts = { plugin: name, code, message: reason, ...(isWish ? { remedy } : {}) };
    this.#options.tell({ event: "failed", ...facts });
  }

  #tellFaults({ faults }: HostDocuments): void {
    for (const fault of faults) this.#options.tell({ event: "fault", fault });
  }

  async #contentsOf(documents: HostDocuments): Promise<Map<string, string>> {
    const hashes = outsideOf(documents).map(
      async ({ name, directory }) => [name, await this.#contentOf(directory)] as const,
    );
    return new Map(await Promise.all(hashes));
  }

  /** Of all that it is at work with. */
  #contentOf(directory: string): Promise<string> {
    const others = ["test", "README.md", "plugin.types.ts", "plugin.types.d.ts"].map((name) => join(directory, name));
    return contentHash(directory, [this.#options.dataDirectory, ...others]);
  }
}

const isInProcess = ({ isolation }: InstalledPlugin) => isolation === "in-process";

const outsideOf = ({ plugins }: HostDocuments) => plugins.filter(({ builtIn }) => !builtIn);
