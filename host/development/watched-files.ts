// Tells of changes in folders and files, some time after the last of them: an editor writes a file in several steps.

import { existsSync, type FSWatcher, watch } from "node:fs";
import { basename, dirname, join } from "node:path";
import { GantryError } from "../errors.ts";

/** After the last change; a build tool that writes many files takes longer than an editor. */
const quietMs = 100;

const ignored = ["node_modules", "**/node_modules/**", ".git", "**/.git/**"];

export interface WatchedPlaces {
  /** With all that is in them, but for packages and `.git`. */
  folders: readonly string[];
  files: readonly string[];
  /** What lies in here is never told of. */
  except: string;
}

export class WatchedFiles implements Disposable {
  readonly #watchers: FSWatcher[] = [];
  readonly #changed = new Set<string>();
  readonly #except: string;
  readonly #onFault: (error: GantryError) => void;
  #timer: NodeJS.Timeout | undefined;
  #waiting: PromiseWithResolvers<void> | undefined;

  /** Throws WATCH_FAILED; what fails later is told to `onFault`. */
  constructor({ folders, files, except }: WatchedPlaces, onFault: (error: GantryError) => void) {
    this.#except = except;
    this.#onFault = onFault;
    for (const folder of folders) this.#watch(folder, () => true, true);
    // A file is replaced as a rule, so its folder is watched.
    for (const file of files) this.#watch(dirname(file), (name) => name === basename(file), false);
  }

  /** Resolves with the paths that have changed since the last time, as soon as there are some and all is quiet. */
  async next(): Promise<string[]> {
    this.#waiting ??= Promise.withResolvers();
    if (this.#changed.size > 0 && this.#timer === undefined) this.#waiting.resolve();
    await this.#waiting.promise;
    this.#waiting = undefined;
    const changed = [...this.#changed].sort();
    this.#changed.clear();
    // What an editor made and took away again on its way tells nobody anything.
    const there = changed.filter((path) => existsSync(path));
    return there.length > 0 ? there : changed;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }

  #watch(folder: string, isMeant: (name: string) => boolean, recursive: boolean): void {
    const failed = (error: Error) =>
      new GantryError("WATCH_FAILED", `${folder} cannot be watched: ${error.message}`, { cause: error });
    let watcher: FSWatcher;
    try {
      watcher = watch(folder, { recursive, ignore: recursive ? ignored : [] });
    } catch (error) {
      this[Symbol.dispose]();
      throw failed(error as Error);
    }
    watcher.on("change", (_, name) => {
      if (name !== null && isMeant(String(name))) this.#note(join(folder, String(name)));
    });
    watcher.on("error", (error) => this.#onFault(failed(error)));
    this.#watchers.push(watcher);
  }

  #note(path: string): void {
    if (path === this.#except || path.startsWith(`${this.#except}/`)) return;
    this.#changed.add(path);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#waiting?.resolve();
    }, quietMs);
  }
}
