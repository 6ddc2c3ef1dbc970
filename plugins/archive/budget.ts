// The limits of an archive, counted while it is read: on what it says of itself, and on what comes out of it.

import { PluginError } from "gantry";
import type { Config } from "./plugin.types.ts";

export interface Limits {
  maxEntries: number;
  maxSizeBytes: number;
  maxRatio: number;
}

/** What a step says goes before the configuration. */
export function limitsOf(
  input: { maxEntries?: number; maxSizeBytes?: number; maxRatio?: number },
  config: Config,
): Limits {
  const { maxEntries = config.maxEntries, maxSizeBytes = 0, maxRatio = config.maxRatio } = input;
  return { maxEntries, maxSizeBytes: maxSizeBytes > 0 ? maxSizeBytes : config.maxSizeBytes, maxRatio };
}

/** So little may come out of the smallest archive: a short text of one letter compresses better than any ratio. */
const harmlessBytes = 1 << 20;

/** All names are held while an archive is unpacked: so many bytes for each entry that is allowed, and never less in all. */
const nameBytesEach = 640;
const minNameBytes = 1 << 20;

export class Budget {
  readonly #limits: Limits;
  readonly #unpackedLimit: number;
  #entries = 0;
  #nameBytes = 0;
  #unnamedFolders = 0;
  #sizeBytes = 0;
  #unpackedBytes = 0;

  constructor(limits: Limits, archiveBytes: number) {
    this.#limits = limits;
    this.#unpackedLimit = Math.max(harmlessBytes, limits.maxRatio * archiveBytes);
  }

  /** Before an entry is made. Throws ARCHIVE_TOO_MANY_ENTRIES, ARCHIVE_TOO_LARGE, ARCHIVE_RATIO_TOO_HIGH. */
  entry(sizeBytes: number, nameBytes = 0): void {
    const { maxEntries } = this.#limits;
    if (++this.#entries > maxEntries) throw tooMany(`there are more than ${maxEntries} entries`, maxEntries);
    this.#nameBytes += nameBytes;
    const maxNameBytes = Math.max(minNameBytes, nameBytesEach * maxEntries);
    if (this.#nameBytes > maxNameBytes)
      throw tooMany(`the names of its entries have more than ${maxNameBytes} bytes`, maxEntries);
    this.#sizeBytes += sizeBytes;
    if (this.#sizeBytes > this.#limits.maxSizeBytes)
      throw new PluginError("ARCHIVE_TOO_LARGE", `the content has more than ${this.#limits.maxSizeBytes} bytes`, {
        details: { maxSizeBytes: this.#limits.maxSizeBytes },
      });
    this.#checkRatio(this.#sizeBytes);
  }

  /** Of a folder that is made since a name leads through it: one name may have two thousand. Throws ARCHIVE_TOO_MANY_ENTRIES. */
  unnamedFolder(): void {
    const { maxEntries } = this.#limits;
    if (++this.#unnamedFolders > maxEntries)
      throw tooMany(`its names lead through more than ${maxEntries} folders that are no entries`, maxEntries);
  }

  /** While it is unpacked, all that comes out counts. Throws ARCHIVE_RATIO_TOO_HIGH. */
  unpacked(bytes: number): void {
    this.#unpackedBytes += bytes;
    this.#checkRatio(this.#unpackedBytes);
  }

  #checkRatio(bytes: number): void {
    if (bytes <= this.#unpackedLimit) return;
    const { maxRatio } = this.#limits;
    throw new PluginError(
      "ARCHIVE_RATIO_TOO_HIGH",
      `the content is more than ${maxRatio} times as large as the archive`,
      {
        details: { maxRatio },
      },
    );
  }
}

const tooMany = (why: string, maxEntries: number) =>
  new PluginError("ARCHIVE_TOO_MANY_ENTRIES", why, { details: { maxEntries } });
