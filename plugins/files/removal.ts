import { readdir, rmdir, unlink } from "node:fs/promises";
import { isMissing } from "./failures.ts";

const slash = Buffer.from("/");

/**
 * Removes a folder with all that is in it, from the leaves up; links are removed, never followed. Names are taken as
 * bytes, as not every name is UTF-8. What is gone already is no failure.
 */
export async function removeTree(folder: string | Buffer, signal: AbortSignal): Promise<void> {
  const bytes = Buffer.from(folder);
  for (const entry of await readdir(bytes, { withFileTypes: true, encoding: "buffer" }).catch(noneIfMissing)) {
    signal.throwIfAborted();
    const path = Buffer.concat([bytes, slash, entry.name]);
    if (entry.isDirectory()) await removeTree(path, signal);
    else await unlink(path).catch(allowMissing);
  }
  await rmdir(bytes).catch(allowMissing);
}

export function allowMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}

function noneIfMissing(error: unknown): [] {
  allowMissing(error);
  return [];
}
