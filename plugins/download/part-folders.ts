// In which folders parts may be: each is on disk before the first part is made in it, so that no part is ever lost sight
// of, also one that has no record.

import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "gantry/toolkit/folders";
import { writeFailure } from "./failures.ts";

export class PartFolders {
  readonly #file: string;
  #known: Promise<Set<string>> | undefined;
  /** One line is written after the other. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #noted = new Map<string, Promise<void>>();

  constructor(file: string) {
    this.#file = file;
  }

  /** Synced when this resolves. Rejects with DOWNLOAD_DISK_FULL and such. */
  note(folder: string): Promise<void> {
    let noted = this.#noted.get(folder);
    if (noted === undefined) {
      noted = this.#inTurn(() => this.#add(folder));
      this.#noted.set(folder, noted);
      // There may be room for it the next time.
      noted.catch(() => this.#noted.delete(folder));
    }
    return noted.catch((error) => {
      throw writeFailure(error);
    });
  }

  async all(): Promise<string[]> {
    return [...(await this.#all())];
  }

  /** Those that are not kept are forgotten. */
  keepOnly(isKept: (folder: string) => boolean): Promise<void> {
    return this.#inTurn(async () => {
      const known = await this.#all();
      const left = [...known].filter(isKept);
      if (left.length === known.size) return;
      // Whoever notes one of them from now on does so after this.
      for (const folder of known) if (!left.includes(folder)) this.#noted.delete(folder);
      await write(`${this.#file}.new`, "w", left.map(lineOf).join(""));
      await rename(`${this.#file}.new`, this.#file);
      await syncFolder(dirname(this.#file));
      this.#known = Promise.resolve(new Set(left));
    });
  }

  async #add(folder: string): Promise<void> {
    const known = await this.#all();
    if (known.has(folder)) return;
    const isFirst = known.size === 0;
    if (isFirst) await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    // The line before may have been cut short.
    await write(this.#file, "a", `\n${lineOf(folder)}`);
    if (isFirst) await syncFolder(dirname(this.#file));
    known.add(folder);
  }

  #all(): Promise<Set<string>> {
    this.#known ??= readFile(this.#file, "utf8").then(
      (text) => new Set(text.split("\n").flatMap(folderIn)),
      () => new Set<string>(),
    );
    return this.#known;
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}

const lineOf = (folder: string) => `${JSON.stringify(folder)}\n`;

function folderIn(line: string): string[] {
  try {
    const folder: unknown = JSON.parse(line);
    return typeof folder === "string" ? [folder] : [];
  } catch {
    return [];
  }
}

async function write(path: string, flags: "a" | "w", text: string): Promise<void> {
  const file = await open(path, flags, 0o600);
  await file
    .writeFile(text)
    .then(() => file.sync())
    .finally(() => file.close());
}
