// All databases of plugins that are in use.

import type { Database } from "../sdk.ts";
import { createDatabase, type DatabaseOptions, type PluginDatabase } from "./database.ts";
import { databaseError } from "./database-values.ts";
import type { KeptFile } from "./housekeeping.ts";
import type { WritingThread } from "./writing-thread.ts";

/** Of one plugin: each stays open, with its descriptors and memory, until the host ends. */
const MAX_DATABASES = 32;

export class Databases {
  readonly #thread: WritingThread;
  readonly #options: DatabaseOptions;
  readonly #known = new Map<string, PluginDatabase>();

  constructor(thread: WritingThread, options: DatabaseOptions) {
    this.#thread = thread;
    this.#options = options;
  }

  of(plugin: string, name: string): Database {
    const key = `${plugin}/${name}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known.database;
    const others = [...this.#known.keys()].filter((other) => other.startsWith(`${plugin}/`));
    if (others.length >= MAX_DATABASES) throw databaseError(`a plugin may use at most ${MAX_DATABASES} databases`);
    const made = createDatabase(plugin, name, this.#thread, this.#options);
    this.#known.set(key, made);
    return made.database;
  }

  all(): PluginDatabase[] {
    return [...this.#known.values()];
  }

  /** Refuses further writes; resolves when all earlier ones are settled. */
  async drain(): Promise<void> {
    await Promise.all(this.all().map(({ writer }) => writer.drain()));
  }

  async close(wantsCopy: (file: KeptFile) => boolean): Promise<void> {
    for (const file of this.all()) {
      file.closeReading();
      await file.writer.close(wantsCopy(file));
    }
  }
}
