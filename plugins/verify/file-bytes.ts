import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { PluginError } from "gantry";

/**
 * Opens a regular file, does the work, and closes it. Throws VERIFY_FILE_UNREADABLE, the signal's reason, or what the
 * work throws with a code of this plugin.
 */
export async function withFile<Value>(
  path: string,
  signal: AbortSignal,
  work: (file: FileHandle, stats: Stats) => Promise<Value>,
): Promise<Value> {
  try {
    // Of a pipe even the opening may never end otherwise.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    // Nor may the reading of a pipe or a device.
    if (!stats.isFile()) throw new Error("it is no regular file");
    return await work(file, stats);
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof PluginError) throw cause;
    throw new PluginError("VERIFY_FILE_UNREADABLE", `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

const readBytes = 1 << 20;

/** The file's bytes to its end; each chunk holds until the next one is asked for. Rejects with the signal's reason. */
export async function* chunksOf(file: FileHandle, signal: AbortSignal): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  for (let position = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
