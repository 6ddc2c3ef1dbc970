// What is installed, as modules say it: files *.prs with lines group=, name=, version= and type=.

import { copyFile, readFile, realpath, rename, rm } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { PluginError } from "gantry";
import { look, makeFolder, syncFolder } from "gantry/toolkit/folders";
import { entriesOf, writeWhole } from "./folders.ts";

export interface Dependency {
  group: string;
  name: string;
  version: string;
  type?: string;
}

export interface DependencyFile {
  path: string;
  /** Undefined: it lacks something. */
  dependency: Dependency | undefined;
}

const maxBytes = 64 * 1024;
const maxFiles = 10_000;

/** Those of a folder and of the folders in it, by path. */
export async function readDependencies(folder: string): Promise<DependencyFile[]> {
  const paths: string[] = [];
  for (const entry of await entriesOf(folder)) {
    if (isDependencyFile(entry)) paths.push(join(folder, entry.name));
    if (entry.isDirectory())
      for (const inner of await entriesOf(join(folder, entry.name)))
        if (isDependencyFile(inner)) paths.push(join(folder, entry.name, inner.name));
  }
  const files: DependencyFile[] = [];
  for (const path of paths.toSorted(byNames)) files.push({ path, dependency: await readOne(path) });
  return files;
}

const isDependencyFile = (entry: { name: string; isFile(): boolean }) => entry.isFile() && entry.name.endsWith(".prs");

// Folder by folder, as a walk through them goes.
function byNames(one: string, other: string): number {
  const [names, others] = [one.split(sep), other.split(sep)];
  const index = names.findIndex((name, at) => name !== others[at]);
  return index < 0 ? 0 : names[index]! < (others[index] ?? "") ? -1 : 1;
}

async function readOne(path: string): Promise<Dependency | undefined> {
  if (((await look(path))?.size ?? 0) > maxBytes) return undefined;
  return parseDependency(await readFile(path, "utf8"));
}

/** The last line of each kind counts. */
export function parseDependency(text: string): Dependency | undefined {
  const said: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, key, value] = /^(group|name|version|type)=(.*)$/.exec(line) ?? [];
    if (key !== undefined) said[key] = value!;
  }
  const { group = "", name = "", version = "", type = "" } = said;
  if (group === "" || name === "" || version === "") return undefined;
  return { group, name, version, ...(type === "" ? {} : { type }) };
}

/** As the feature has them: by number. */
export function numbered(files: DependencyFile[]): Record<string, Dependency> {
  const known = files.map(({ dependency }) => dependency).filter((one) => one !== undefined);
  return Object.fromEntries(known.map((dependency, index) => [String(index), dependency]));
}

/**
 * The folder in which a module says what it has installed; undefined: it says nothing. An absolute name is taken below
 * the module's folder, too. Throws SOFTWARE_UPDATE_PATH_REFUSED for one that leads out of it.
 */
export async function findDependencies(directory: string, name: string): Promise<string | undefined> {
  const folder = resolve(directory, `.${sep}${name}`);
  const within = relative(directory, folder);
  if (within === "" || within === ".." || within.startsWith(`..${sep}`)) throw refused(name);
  const found = await look(folder);
  if (found === undefined) return undefined;
  const real = await realpath(folder);
  if (!found.isDirectory() || real !== join(await realpath(directory), within)) throw refused(name);
  return folder;
}

function refused(name: string): PluginError {
  const shown = JSON.stringify(name.slice(0, 300));
  return new PluginError("SOFTWARE_UPDATE_PATH_REFUSED", `${shown} is no folder of the module itself`);
}

/**
 * Takes over what a module says: files, and whole folders in place of those of the same name. Files that cannot be read
 * as dependencies stay where they are, and links are refused. Gives the number of files.
 */
export async function takeDependencies(from: string, to: string): Promise<number> {
  await makeFolder(to);
  let count = 0;
  for (const entry of await entriesOf(from)) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (!entry.isDirectory()) {
      if ((await look(target))?.isDirectory()) await rm(target, { recursive: true });
      count += await takeFile(source, target);
      continue;
    }
    const staging = join(to, `.${entry.name}.gantry-new`);
    await rm(staging, { recursive: true, force: true });
    count += await takeTree(source, staging);
    await rm(target, { recursive: true, force: true });
    await rename(staging, target);
  }
  await syncFolder(to);
  return count;
}

async function takeTree(from: string, to: string): Promise<number> {
  await makeFolder(to);
  let count = 0;
  for (const entry of await entriesOf(from)) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    count += entry.isDirectory() ? await takeTree(source, target) : await takeFile(source, target);
    if (count > maxFiles)
      throw new PluginError("SOFTWARE_UPDATE_PATH_REFUSED", `there are more than ${maxFiles} files`);
  }
  await syncFolder(to);
  return count;
}

async function takeFile(source: string, target: string): Promise<number> {
  const found = await look(source);
  if (!found?.isFile())
    throw new PluginError("SOFTWARE_UPDATE_PATH_REFUSED", `${JSON.stringify(source)} is no file and no folder`);
  if (source.endsWith(".prs")) {
    if ((await readOne(source)) === undefined) return 0;
    await writeWhole(target, await readFile(source));
  } else await copyFile(source, target);
  return 1;
}

/** Removes the files that say this of what is installed. */
export async function dropDependencies(
  folder: string,
  { group, name, version }: { group?: string | null | undefined; name: string; version: string },
): Promise<void> {
  for (const { path } of await matching(folder, { group, name, version })) await rm(path, { force: true });
  if ((await look(folder)) !== undefined) await syncFolder(folder);
}

/** Without a group all groups match. */
export async function matching(
  folder: string,
  { group, name, version }: { group?: string | null | undefined; name: string; version: string },
): Promise<DependencyFile[]> {
  return (await readDependencies(folder)).filter(
    ({ dependency }) =>
      dependency?.name === name &&
      dependency.version === version &&
      [dependency.group, null, undefined, ""].includes(group),
  );
}
