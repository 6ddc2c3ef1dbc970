import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";

/**
 * One hash over all files of a folder: their paths, contents and whether they can be executed; links are followed, as
 * they are when the code is loaded. `except` are absolute paths that do not count. `sha256-` and base64, as in
 * package-lock.json.
 */
export async function contentHash(directory: string, except: readonly string[] = []): Promise<string> {
  const hash = createHash("sha256");
  await addFolder(hash, directory, directory, new Set([".git", ...except]), []);
  return `sha256-${hash.digest("base64")}`;
}

async function addFolder(hash: Hash, folder: string, root: string, except: ReadonlySet<string>, above: string[]) {
  const real = await realpath(folder);
  // A link that leads to a folder it lies in adds nothing new.
  if (above.includes(real)) return;
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    if (except.has(name) || except.has(path)) continue;
    // A link that leads nowhere has a name and nothing else.
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) {
      await addFolder(hash, path, root, except, [...above, real]);
      continue;
    }
    const kind = found === undefined ? "missing" : found.isFile() ? (found.mode & 0o111 ? "program" : "file") : "other";
    // Lengths come first, so that no content can pass for another file's name.
    hash.update(JSON.stringify([relative(root, path), kind, found?.size ?? 0]));
    if (found?.isFile()) await pipeline(createReadStream(path), async (chunks) => addAll(hash, chunks));
  }
}

async function addAll(hash: Hash, chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) hash.update(chunk);
}
