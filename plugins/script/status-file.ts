// A status file that is written in place, or written elsewhere and renamed: its folder is watched.

import { type BigIntStats, constants, type FSWatcher, watch } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseStatus, type Status } from "./status.ts";

const maxBytes = 64 * 1024;
/** Where the system cannot watch any more folders. */
const askEveryMs = 500;

export class StatusFile {
  readonly #path: string;
  readonly #say: (status: Status) => void;
  readonly #stale: string | undefined;
  #reading: Promise<void> | undefined;
  #isChanged = false;
  #stopWatching: () => void = () => {};

  private constructor(path: string, say: (status: Status) => void, stale: string | undefined) {
    this.#path = path;
    this.#say = say;
    this.#stale = stale;
  }

  /** What the file says by now is of an earlier program and does not count. */
  static async watch(directory: string, name: string, say: (status: Status) => void): Promise<StatusFile> {
    const path = join(directory, name);
    const before = await stat(path, { bigint: true }).catch(() => undefined);
    const file = new StatusFile(path, say, before && identityOf(before));
    file.#stopWatching = watchFolder(directory, name, () => void file.read());
    return file;
  }

  /** Resolves when what the file says by now has been read. */
  read(): Promise<void> {
    this.#isChanged = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Reads it for the last time. */
  async end(): Promise<void> {
    this.#stopWatching();
    await this.read();
  }

  async #readAll(): Promise<void> {
    while (this.#isChanged) {
      this.#isChanged = false;
      const status = await this.#readOnce().catch(() => undefined);
      if (status !== undefined) this.#say(status);
    }
  }

  async #readOnce(): Promise<Status | undefined> {
    // Neither a link nor a pipe that somebody has put there is followed or waited for.
    const file = await open(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = await file.stat({ bigint: true });
      if (!found.isFile() || found.size > maxBytes || identityOf(found) === this.#stale) return undefined;
      return parseStatus(await file.readFile("utf8"));
    } finally {
      await file.close();
    }
  }
}

const identityOf = ({ ino, size, mtimeNs }: BigIntStats) => `${ino} ${size} ${mtimeNs}`;

function watchFolder(directory: string, name: string, onChange: () => void): () => void {
  let asking: NodeJS.Timeout | undefined;
  const ask = () => {
    asking ??= setInterval(onChange, askEveryMs);
  };
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(directory, { persistent: false }, (_, changed) => {
      if (changed === name || changed === null) onChange();
    });
    watcher.on("error", ask);
  } catch {
    ask();
  }
  return () => {
    watcher?.close();
    clearInterval(asking);
  };
}
