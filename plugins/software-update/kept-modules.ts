// Downloads that are kept for a later installation: numbered folders, each with a file that says which module it is,
// as the daemon that this plugin replaces reads and writes them.

import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { look, makeFolder, syncFolder } from "gantry/toolkit/folders";
import { entriesOf, writeWhole } from "./folders.ts";

/** Its first line is `name:version`; the second one, of this plugin alone, says who has kept it. */
export const markName = "internal-status";

export interface KeptModule {
  /** The folder's name: a number. */
  name: string;
  path: string;
  /** `name:version`. */
  id: string;
  keeper: string;
}

export const idOf = ({ name, version }: { name: string; version: string }) => `${name}:${version}`;

export async function keptModules(folder: string): Promise<KeptModule[]> {
  const numbered = (await entriesOf(folder)).filter((entry) => entry.isDirectory() && /^\d{1,9}$/.test(entry.name));
  const found = numbered.map(async ({ name }) => {
    const path = join(folder, name);
    const mark = join(path, markName);
    const text = (await look(mark))?.isFile() ? await readFile(mark, "utf8") : "";
    const [id = "", keeper = ""] = text.split("\n");
    return { name, path, id: id.trim(), keeper: keeper.trim() };
  });
  return (await Promise.all(found)).toSorted((one, other) => Number(one.name) - Number(other.name));
}

/** Keeps what is in `directory`, which is gone then; older ones of the same module go, too. `keeper` recognises it. */
export async function keep(folder: string, directory: string, id: string, keeper: string): Promise<KeptModule> {
  await makeFolder(folder);
  const before = await keptModules(folder);
  const done = before.find((module) => module.keeper === keeper);
  let kept = done;
  if (kept === undefined) {
    const number = before.reduce((next, { name }) => Math.max(next, Number(name) + 1), 0);
    const path = join(folder, String(number));
    await writeWhole(join(directory, markName), `${id}\n${keeper}\n`);
    await rename(directory, path);
    await syncFolder(folder);
    kept = { name: String(number), path, id, keeper };
  }
  for (const { id: other, path } of before) if (other === id && path !== kept.path) await removeKept(path);
  return kept;
}

export async function removeKept(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
