import type { FileHandle } from "node:fs/promises";
import type { Digester } from "./checksums.ts";

const readBytes = 1 << 20;

/** Hashes the first so many bytes of a file through one buffer. Resolves with how many there were. */
export async function digestFile(
  file: FileHandle,
  sizeBytes: number,
  digester: Digester,
  signal: AbortSignal,
): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(readBytes, sizeBytes)));
  for (let position = 0; position < sizeBytes; ) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, sizeBytes - position), position);
    if (bytesRead === 0) return position;
    digester.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  return sizeBytes;
}
