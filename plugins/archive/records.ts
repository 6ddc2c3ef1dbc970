// What this plugin has made, so that it is recognised later: one small file for each folder and archive.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isThere } from "gantry/toolkit/folders";

/** Beyond this, records of what is no longer there are removed, then the oldest. A lost record only costs the work anew. */
const maxRecords = 256;

export interface MadeRecord {
  /** The folder or archive; absolute, links resolved. */
  target: string;
  /** What it was made of. */
  source: string;
  /** What it looked like when it was made, see fingerprint.ts. */
  result: string;
  /** What the step has returned. */
  output: unknown;
}

export class Records {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async read(target: string): Promise<MadeRecord | undefined> {
    try {
      const record = JSON.parse(await readFile(this.#fileOf(target), "utf8")) as MadeRecord;
      return record.target === target ? record : undefined;
    } catch {
      // Not there, or not whole: then nothing is recognised.
      return undefined;
    }
  }

  async write(record: MadeRecord): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const file = this.#fileOf(record.target);
    await writeFile(`${file}.new`, JSON.stringify(record), { mode: 0o600, flush: true });
    await rename(`${file}.new`, file);
    await this.#prune();
  }

  #fileOf(target: string): string {
    return join(this.#directory, `${createHash("sha256").update(target).digest("hex")}.json`);
  }

  async #prune(): Promise<void> {
    const names = await readdir(this.#directory);
    if (names.length <= maxRecords) return;
    const left: { file: string; writtenAt: number }[] = [];
    for (const name of names) {
      const file = join(this.#directory, name);
      const { target = "" } = await readFile(file, "utf8")
        .then(JSON.parse)
        .catch(() => ({}));
      if (target === "" || !(await isThere(target))) await rm(file, { force: true });
      else left.push({ file, writtenAt: (await stat(file)).mtimeMs });
    }
    left.sort((one, other) => other.writtenAt - one.writtenAt);
    for (const { file } of left.slice(maxRecords)) await rm(file, { force: true });
  }
}
