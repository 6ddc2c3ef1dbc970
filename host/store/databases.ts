// All databases of plugins that are in use.

import type { Database } from "../sdk.ts";
import { createDatabase, type DatabaseOptions, type PluginDatabase } from "./database.ts";
import type { KeptFile } from "./housekeeping.ts";
import type { WritingThread } from "./writing-thread.ts";

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
    const known = this.#known.get(key) ?? createDatabase(plugin, name, this.#thread, this.#options);
    this.#known.set(key, known);
    return known.database;
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
