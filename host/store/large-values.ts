// Values too large for a row: the text is in a file named by its digest, in a folder of the run, and the row holds a
// mark. A mark is no JSON, so that no value can look like one.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../sdk.ts";
import { type DamageReport, damagedValue } from "./damage.ts";
import { largeFolder } from "./data-directory.ts";

/** Longer texts go to a file. */
export const LARGE_BYTES = 64 * 1024;

export const markOf = (text: string) => `large:${Buffer.byteLength(text)}:${digestOf(text)}`;

/** The digest within a mark; undefined where the text is a value. */
export function digestIn(stored: string): string | undefined {
  return /^large:\d+:([0-9a-f]{64})$/.exec(stored)?.[1];
}

export const largeFile = (dataDirectory: string, runId: string, digest: string) =>
  join(largeFolder(dataDirectory), runId, digest);

/** Reads what a column holds. Throws where it cannot be read. */
export function readValue(dataDirectory: string, runId: string, stored: string): Json {
  const digest = digestIn(stored);
  if (digest === undefined) return JSON.parse(stored) as Json;
  const text = readFileSync(largeFile(dataDirectory, runId, digest), "utf8");
  if (digestOf(text) !== digest) throw new Error(`the file large/${runId}/${digest} was changed`);
  return JSON.parse(text) as Json;
}

/** Reads what the columns of runs hold, for the caller's side. */
export class ValueReader {
  readonly #dataDirectory: string;
  readonly #damage: DamageReport;

  constructor(dataDirectory: string, damage: DamageReport) {
    this.#dataDirectory = dataDirectory;
    this.#damage = damage;
  }

  /** What cannot be read becomes an object that says so, and is reported. */
  read(runId: string, what: string, stored: string): Json {
    try {
      return readValue(this.#dataDirectory, runId, stored);
    } catch (error) {
      const { message } = error as Error;
      this.#damage.noteUnreadable(`${what} of run ${runId}`, message);
      return damagedValue(`${what} is lost: ${message}`);
    }
  }
}

const digestOf = (text: string) => createHash("sha256").update(text).digest("hex");
