import { createHash, type Hash } from "node:crypto";
import { PluginError } from "gantry";
import type { FetchInput } from "./plugin.types.ts";

type Algorithm = keyof FetchInput["checksums"];

const hexDigits: Record<Algorithm, number> = { SHA256: 64, SHA384: 96, SHA512: 128, SHA1: 40, MD5: 32 };
const strong: readonly Algorithm[] = ["SHA256", "SHA384", "SHA512"];

/** What a file must hash to; computes while the file arrives. SHA-256 is always among the digests. */
export class Checksums {
  readonly #wanted: [Algorithm, string][];

  /** Throws DOWNLOAD_CHECKSUM_REQUIRED or DOWNLOAD_CHECKSUM_INVALID. */
  constructor({ checksums, allowWeakChecksums }: Pick<FetchInput, "checksums" | "allowWeakChecksums">) {
    this.#wanted = Object.entries(checksums).map(([algorithm, hex]) => [algorithm as Algorithm, hex.toLowerCase()]);
    if (!allowWeakChecksums && !strong.some((algorithm) => checksums[algorithm] !== undefined))
      throw new PluginError("DOWNLOAD_CHECKSUM_REQUIRED", "no SHA256, SHA384 or SHA512 checksum is given");
    for (const [algorithm, hex] of this.#wanted) {
      const digits = hexDigits[algorithm];
      if (hex.length === digits && /^[0-9a-f]*$/.test(hex)) continue;
      throw new PluginError("DOWNLOAD_CHECKSUM_INVALID", `a ${algorithm} checksum has ${digits} hexadecimal digits`);
    }
  }

  /** Tells one wanted content from another. */
  get key(): string {
    const sorted = this.#wanted.map(([algorithm, hex]) => `${algorithm}=${hex}`).sort();
    return createHash("sha256").update(sorted.join()).digest("hex");
  }

  /** Whether a file that passes is certainly the wanted one, wherever its pieces are from. */
  get isStrong(): boolean {
    return this.#wanted.some(([algorithm]) => strong.includes(algorithm));
  }

  /** Whether there is anything to hold a file against. */
  get isEmpty(): boolean {
    return this.#wanted.length === 0;
  }

  digester(): Digester {
    const algorithms = this.isEmpty ? (["SHA256"] as const) : this.#wanted.map(([algorithm]) => algorithm);
    return new Digester(algorithms.map((algorithm) => [algorithm, createHash(algorithm.toLowerCase())]));
  }

  /** The first algorithm whose digest is not the wanted one. */
  mismatch(digests: Record<string, string>): Algorithm | undefined {
    return this.#wanted.find(([algorithm, hex]) => digests[algorithm] !== hex)?.[0];
  }
}

export class Digester {
  readonly #hashes: [Algorithm, Hash][];

  constructor(hashes: [Algorithm, Hash][]) {
    this.#hashes = hashes;
  }

  update(chunk: Uint8Array): void {
    for (const [, hash] of this.#hashes) hash.update(chunk);
  }

  /** Lower-case hexadecimal, by algorithm. */
  digests(): Record<string, string> {
    return Object.fromEntries(this.#hashes.map(([algorithm, hash]) => [algorithm, hash.digest("hex")]));
  }
}
