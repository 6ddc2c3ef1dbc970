// plugins.lock.json beside plugins.json: what each plugin that is not Gantry's own was when it was accepted. It is
// accepted at first use; when it changes, it is not started until somebody accepts it again.

import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GantryError } from "../errors.ts";
import { contentHash } from "./content-hash.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";

/** What was accepted of one plugin. */
export interface Pin {
  version: string;
  /** Of all files in its folder, see `contentHash`. */
  content: string;
}

/** By the plugin's name. */
export type Pins = Readonly<Record<string, Pin>>;

export type PinVerdict = "new" | "accepted" | "changed";

/** Whether what was found is what was accepted; another version with the same content cannot be. */
export function judge(pins: Pins, plugin: string, found: Pin): PinVerdict {
  if (!Object.hasOwn(pins, plugin)) return "new";
  return pins[plugin]!.content === found.content ? "accepted" : "changed";
}

/** The file's text; plugins in alphabetical order, so that it is quiet in version control. */
export function formatPins(pins: Pins): string {
  const sorted = Object.entries(pins).sort(([one], [other]) => (one < other ? -1 : 1));
  return `${JSON.stringify({ plugins: Object.fromEntries(sorted) }, null, 2)}\n`;
}

/** Throws PLUGIN_LOCK_BROKEN. */
export function parsePins(text: string, file: string): Pins {
  const broken = (why: string) => new GantryError("PLUGIN_LOCK_BROKEN", `${file} cannot be used: ${why}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw broken((error as Error).message);
  }
  const plugins = (value as { plugins?: unknown } | null)?.plugins;
  if (typeof plugins !== "object" || plugins === null) throw broken("it has no `plugins`");
  for (const [name, pin] of Object.entries(plugins as Record<string, Partial<Pin> | null>))
    if (typeof pin?.version !== "string" || typeof pin.content !== "string") throw broken(`${name} has no \`content\``);
  return plugins as Pins;
}

export class PluginLock {
  readonly file: string;
  readonly #except: string[];
  readonly #onFault: (message: string) => void;
  /** One change of the file at a time. */
  #lastChange: Promise<unknown> = Promise.resolve();

  /** `onFault` is told when a first acceptance cannot be written down. */
  constructor(configurationFile: string, dataDirectory: string, onFault: (message: string) => void) {
    this.file = join(dirname(configurationFile), "plugins.lock.json");
    // They may lie in the folder of a plugin.
    this.#except = [this.file, dataDirectory];
    this.#onFault = onFault;
  }

  /**
   * Accepts a plugin that is used for the first time. Rejects with PLUGIN_CHANGED where it is not what was accepted, and
   * with PLUGIN_LOCK_BROKEN.
   */
  async check(plugin: InstalledPlugin): Promise<void> {
    const found = await this.#pinOf(plugin);
    const verdict = judge(await this.#read(), plugin.name, found);
    if (verdict === "changed")
      throw new GantryError("PLUGIN_CHANGED", `the files in ${plugin.directory} are not those that were accepted`, {
        details: { plugin: plugin.name, version: found.version, content: found.content },
      });
    if (verdict === "accepted") return;
    try {
      await this.#write(plugin.name, found);
    } catch (error) {
      if (error instanceof GantryError) throw error;
      this.#onFault(`plugin ${plugin.name} cannot be pinned: ${(error as Error).message}`);
    }
  }

  /** Accepts a plugin as it is now. Rejects with PLUGIN_LOCK_BROKEN, or why the file cannot be written. */
  async accept(plugin: InstalledPlugin): Promise<Pin> {
    const found = await this.#pinOf(plugin);
    await this.#write(plugin.name, found);
    return found;
  }

  async #pinOf({ directory, manifest }: InstalledPlugin): Promise<Pin> {
    return { version: manifest.version, content: await contentHash(directory, this.#except) };
  }

  // Read each time: `gantry plugin accept` may have written it meanwhile.
  async #read(): Promise<Pins> {
    const text = await readFile(this.file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw new GantryError("PLUGIN_LOCK_BROKEN", `${this.file} cannot be read: ${error.message}`);
    });
    return text === undefined ? {} : parsePins(text, this.file);
  }

  #write(name: string, pin: Pin): Promise<void> {
    const change = this.#lastChange.then(async () => {
      const pins = { ...(await this.#read()), [name]: pin };
      const next = `${this.file}.${process.pid}.tmp`;
      await writeFile(next, formatPins(pins), { flush: true });
      await rename(next, this.file);
    });
    this.#lastChange = change.catch(() => {});
    return change;
  }
}
