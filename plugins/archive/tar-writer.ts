// Writes tar: the same content gives the same bytes. Owners are left out, times are whole seconds.

import { constants } from "node:fs";
import { type FileHandle, open, readlink, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { PluginError } from "gantry";
import { isWithin } from "gantry/toolkit/folders";
import type { Header, Pax } from "tar";
import { shown, sourceFailure } from "./failures.ts";
import { safePath } from "./names.ts";
import { blockBytes } from "./tar-header.ts";
import type { Found } from "./tree.ts";

const readBytes = 64 * 1024;

interface Fields {
  type: "File" | "Directory" | "SymbolicLink";
  path: string;
  mode: number;
  mtime: Date;
  size: number;
  linkpath?: string;
}

export class TarWriter {
  readonly #root: string;
  readonly #signal: AbortSignal;
  readonly #tar: { Header: typeof Header; Pax: typeof Pax };

  private constructor(root: string, signal: AbortSignal, tar: { Header: typeof Header; Pax: typeof Pax }) {
    this.#root = root;
    this.#signal = signal;
    this.#tar = tar;
  }

  /** The folder is absolute, with links resolved. */
  static async for(root: string, signal: AbortSignal): Promise<TarWriter> {
    return new TarWriter(root, signal, await import("tar"));
  }

  /** The bytes of one entry. Throws ARCHIVE_LINK_REFUSED, ARCHIVE_DEVICE_REFUSED, ARCHIVE_SOURCE_* and ARCHIVE_NAME_*. */
  async *entry({ path, stats }: Found): AsyncGenerator<Buffer> {
    safePath(path, "file");
    const mtime = new Date(Math.floor(Number(stats.mtimeMs) / 1000) * 1000);
    const common = { path, mtime, mode: Number(stats.mode) & 0o777, size: 0 };
    if (stats.isDirectory()) yield* this.#header({ ...common, type: "Directory", path: `${path}/` });
    else if (stats.isSymbolicLink())
      yield* this.#header({ ...common, type: "SymbolicLink", mode: 0o777, linkpath: await this.#linkTarget(path) });
    else if (stats.isFile()) yield* this.#file(path, common);
    else throw new PluginError("ARCHIVE_DEVICE_REFUSED", `${shown(path)} is a device, a named pipe or a socket`);
  }

  static end(): Buffer {
    return Buffer.alloc(2 * blockBytes);
  }

  async *#file(path: string, common: Omit<Fields, "type">): AsyncGenerator<Buffer> {
    const file = await open(join(this.#root, path), constants.O_RDONLY | constants.O_NOFOLLOW).catch((error) => {
      throw sourceFailure(error);
    });
    try {
      // What is written to it from now on does not come in.
      const { size } = await file.stat();
      yield* this.#header({ ...common, type: "File", size });
      yield* this.#content(file, path, size);
      yield Buffer.alloc(-size & (blockBytes - 1));
    } finally {
      await file.close();
    }
  }

  async *#content(file: FileHandle, path: string, size: number): AsyncGenerator<Buffer> {
    for (let position = 0; position < size; ) {
      this.#signal.throwIfAborted();
      const buffer = Buffer.allocUnsafe(Math.min(readBytes, size - position));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position).catch((error) => {
        throw sourceFailure(error);
      });
      if (bytesRead === 0)
        throw new PluginError("ARCHIVE_SOURCE_CHANGED", `${shown(path)} became shorter while it was packed`);
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  *#header(fields: Fields): Generator<Buffer> {
    const { Header, Pax } = this.#tar;
    const block = Buffer.alloc(blockBytes);
    const named = { ...fields, uid: 0, gid: 0, uname: "", gname: "" };
    if (new Header(named).encode(block)) {
      const { path, size, linkpath } = fields;
      yield new Pax({ path, size, ...(linkpath === undefined ? {} : { linkpath }) }).encode();
    }
    yield block;
  }

  /** Only what `archive/extract` would take with `links` inside. */
  async #linkTarget(path: string): Promise<string> {
    const refused = (why: string) => new PluginError("ARCHIVE_LINK_REFUSED", `the link ${shown(path)} ${why}`);
    try {
      const place = join(this.#root, path);
      const target = await readlink(place);
      if (isAbsolute(target)) throw refused("leads to an absolute path");
      let end = dirname(place);
      if (!isWithin(join(end, target), this.#root)) throw refused("leads out of the folder");
      for (const part of target.split("/")) {
        // On the way, too: where it is unpacked, other things lie outside.
        if (part === ".." && end === this.#root) throw refused("leads out of the folder");
        end = await realpath(join(end, part)).catch(() => {
          throw refused("leads to nothing");
        });
        if (!isWithin(end, this.#root)) throw refused("leads out of the folder");
      }
      return target;
    } catch (error) {
      throw sourceFailure(error);
    }
  }
}
