// What of a folder is packed: the globs of a step, and never the archive itself.

import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { PluginError } from "gantry";
import { matcher } from "gantry/toolkit/globs";
import { Fingerprint } from "./fingerprint.ts";
import type { CreateInput } from "./plugin.types.ts";
import { type Found, walk } from "./tree.ts";

export type Format = "tar.gz" | "tar.zst";

/** Throws ARCHIVE_FORMAT_UNKNOWN. */
export function formatOf({ format, path }: Pick<CreateInput, "format" | "path">): Format {
  if (format !== undefined) return format;
  if (/\.(tar\.gz|tgz)$/.test(path)) return "tar.gz";
  if (/\.(tar\.zst|tzst)$/.test(path)) return "tar.zst";
  throw new PluginError("ARCHIVE_FORMAT_UNKNOWN", `${path} does not say which format it is to have`);
}

export class Selection {
  readonly root: string;
  /** The archive while it is written. */
  readonly partPath: string;
  readonly #path: string;
  readonly #order: string;
  readonly #includes: ((path: string) => boolean) | undefined;
  readonly #excludes: (path: string) => boolean;
  #fingerprint = new Fingerprint();

  /** `root` and `path` are absolute, with links resolved. Throws ARCHIVE_GLOB_INVALID. */
  constructor(input: CreateInput, root: string, path: string) {
    const { include, exclude } = input;
    this.root = root;
    this.#path = path;
    this.partPath = join(dirname(path), `.${basename(path)}.gantry-part`);
    this.#order = JSON.stringify([root, include ?? null, exclude, input.format ?? null]);
    this.#includes = include === undefined ? undefined : matcher(include, invalidGlob);
    this.#excludes = matcher(exclude, invalidGlob);
  }

  /** In a fixed order. Rejects with the system's errors. */
  async *entries(signal: AbortSignal): AsyncGenerator<Found> {
    this.#fingerprint = new Fingerprint();
    const own = [this.#path, this.partPath];
    const enter = (path: string) => !this.#excludes(path) && !own.includes(join(this.root, path));
    for await (const found of walk(this.root, signal, enter)) {
      if (!this.#isIncluded(found.path)) continue;
      this.#fingerprint.add(found);
      yield found;
    }
  }

  /** What the entries given so far were like, and what was asked for. */
  packedFingerprint(): string {
    return createHash("sha256").update(this.#order).update(this.#fingerprint.digest()).digest("hex");
  }

  /** The same for what is there now. */
  async fingerprint(signal: AbortSignal): Promise<string> {
    for await (const _ of this.entries(signal));
    return this.packedFingerprint();
  }

  #isIncluded(path: string): boolean {
    const includes = this.#includes;
    if (includes === undefined || includes(path)) return true;
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1))
      if (includes(path.slice(0, slash))) return true;
    return false;
  }
}

const invalidGlob = (message: string) => new PluginError("ARCHIVE_GLOB_INVALID", message);
