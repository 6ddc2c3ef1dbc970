import { PluginError } from "gantry";
import type { ZipFile } from "yauzl";
import type { ArchiveFile } from "./archive-file.ts";
import { broken, unsupported } from "./failures.ts";

const windowBytes = 256 * 1024;

/** Small pieces of a file that mostly follow one another: read once, much at a time. */
export class ZipBytes {
  readonly #file: ArchiveFile;
  readonly #buffer = Buffer.allocUnsafeSlow(windowBytes);
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(file: ArchiveFile) {
    this.#file = file;
  }

  /** So many bytes from there, fewer at the end; at most `windowBytes`, which hold until more is asked for. */
  async read(start: number, length: number): Promise<Buffer> {
    if (start < this.#start || start + length > this.#start + this.#window.length) {
      // Nothing holds while it is read.
      this.#window = Buffer.alloc(0);
      this.#window = await this.#file.readInto(this.#buffer, start);
      this.#start = start;
    }
    return this.#window.subarray(start - this.#start, start - this.#start + length);
  }
}

/** The file as `yauzl` reads it; closing it is left to whoever has opened it. Throws ARCHIVE_BROKEN, ARCHIVE_UNSUPPORTED. */
export async function openZip(file: ArchiveFile, bytes: ZipBytes): Promise<ZipFile> {
  const { default: yauzl } = await import("yauzl");
  class Reader extends yauzl.RandomAccessReader {
    override read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      callback: (error: Error | null, bytesRead?: number) => void,
    ): void {
      const found = length <= windowBytes ? bytes.read(position, length) : file.read(position, length);
      found.then((part) => {
        part.copy(buffer, offset);
        callback(null, part.length);
      }, callback);
    }
  }
  try {
    return await yauzl.fromRandomAccessReaderPromise(new Reader(), file.sizeBytes, {
      // Names are judged here, byte by byte, and with codes.
      decodeStrings: false,
      autoClose: false,
    });
  } catch (error) {
    throw zipFailure(error);
  }
}

/** The package has words and no codes. What comes from the file itself, or from the limits, has a code already. */
export function zipFailure(error: unknown): unknown {
  if (error instanceof PluginError) return error;
  const { message } = error as Error;
  if (/encryption/.test(message)) return new PluginError("ARCHIVE_ENCRYPTED", message, { cause: error });
  if (/multi-disk/.test(message)) return unsupported(message);
  return broken(message, error);
}
