// The content of an archive while it is unpacked: in a folder of its own beside the target, which nobody else may enter.
// Files are made anew and never opened by a name that could be a link; links are made when nothing is written any more.

import { link, mkdir, rm, symlink } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { PluginError } from "gantry";
import { isThere, makeFolder, syncFolder } from "gantry/toolkit/folders";
import type { Budget } from "./budget.ts";
import type { Entry } from "./entry.ts";
import { shown } from "./failures.ts";
import { FileWrites } from "./file-writes.ts";
import { safePath } from "./names.ts";
import { oldPathOf, putInPlace, restore } from "./target.ts";
import { TreeNames } from "./tree-names.ts";

const stagingPathOf = (target: string) => join(dirname(target), `.${basename(target)}.gantry-extract`);

/** Whether a crash has left something beside the target. */
export async function hasLeftovers(target: string): Promise<boolean> {
  return (await isThere(stagingPathOf(target))) || (await isThere(oldPathOf(target)));
}

/** Nothing but the target is there, with the content that counts. */
export async function clearLeftovers(target: string): Promise<void> {
  await restore(target);
  await rm(stagingPathOf(target), { recursive: true, force: true });
}

/** Of folders that the archive does not name. */
const unnamedMode = 0o755;

const syncsAtATime = 16;

/** How many of its files a step lists. */
const maxListed = 1000;
const maxListedBytes = 256 * 1024;

export class Staging {
  readonly path: string;
  readonly #target: string;
  readonly #budget: Budget;
  readonly #names = new TreeNames();
  readonly #writes = new FileWrites();
  readonly #links: Entry[] = [];
  #listedBytes = 0;
  /** The first files, in the archive's order. */
  readonly files: string[] = [];
  fileCount = 0;
  sizeBytes = 0;

  private constructor(target: string, budget: Budget) {
    this.#target = target;
    this.#budget = budget;
    this.path = stagingPathOf(target);
  }

  static async begin(target: string, budget: Budget): Promise<Staging> {
    const staging = new Staging(target, budget);
    await makeFolder(dirname(target));
    await mkdir(staging.path, { mode: 0o700 });
    return staging;
  }

  /** Throws ARCHIVE_NAME_DUPLICATE, ARCHIVE_LINK_REFUSED, ARCHIVE_TOO_MANY_ENTRIES. */
  async add(entry: Entry, links: "refuse" | "inside"): Promise<void> {
    const { kind, path } = entry;
    if (kind === "symlink" || kind === "hardlink") {
      if (links === "refuse") throw refused(entry, "is a link");
      await this.#makeFolders(this.#take(path, "link", entry.target));
      this.#links.push(entry);
    } else if (kind === "directory") {
      const missing = this.#take(path, "directory");
      for (const folder of missing) await this.#makeFolder(folder, folder === path ? entry.mode : unnamedMode);
    } else {
      await this.#makeFolders(this.#take(path, "file"));
      await this.#writes
        .add({ ...entry, path: join(this.path, path), mode: entry.mode | 0o600 })
        .catch((error) => this.#throwAsDuplicate(error));
      this.#list(path);
      this.sizeBytes += entry.sizeBytes;
    }
  }

  /** Links, and all of it on disk. Throws ARCHIVE_LINK_REFUSED. */
  async finish(): Promise<void> {
    await this.#writes.done().catch((error) => this.#throwAsDuplicate(error));
    for (const entry of this.#links) if (entry.kind === "hardlink") await this.#linkFile(entry);
    for (const entry of this.#links) {
      if (entry.kind !== "symlink") continue;
      if (this.#names.resolve(entry.path) === undefined) throw refused(entry, "leads to nothing inside the folder");
      await symlink(entry.target, join(this.path, entry.path));
    }
    const folders = this.#names.folders();
    for (let begin = 0; begin < folders.length; begin += syncsAtATime)
      await Promise.all(
        folders.slice(begin, begin + syncsAtATime).map((folder) => syncFolder(join(this.path, folder))),
      );
  }

  /** The content becomes the target. Throws ARCHIVE_TARGET_EXISTS. */
  putInPlace(replace: boolean): Promise<void> {
    return putInPlace(this.path, this.#target, replace);
  }

  async discard(): Promise<void> {
    // No file is open any more when its folder goes.
    await this.#writes.done().catch(() => {});
    await rm(this.path, { recursive: true, force: true });
  }

  /** As in tree-names.ts; within the budget. */
  #take(...name: Parameters<TreeNames["take"]>): string[] {
    const missing = this.#names.take(...name);
    for (const folder of missing) if (folder !== name[0]) this.#budget.unnamedFolder();
    return missing;
  }

  async #makeFolders(folders: string[]): Promise<void> {
    for (const folder of folders) await this.#makeFolder(folder, unnamedMode);
  }

  // Whoever unpacks can always read and remove what is unpacked. The system takes the umask off.
  async #makeFolder(path: string, mode: number): Promise<void> {
    await mkdir(join(this.path, path), { mode: mode | 0o700 }).catch((error) => this.#throwAsDuplicate(error));
  }

  async #linkFile(entry: Entry): Promise<void> {
    const target = safePath(entry.target, "file");
    if (!this.#names.isFile(target)) throw refused(entry, "leads to no file of the archive");
    await link(join(this.path, target), join(this.path, entry.path));
    this.#list(entry.path);
  }

  // The names in the archive differ, and the file system takes them for one: it does not tell cases apart, say.
  #throwAsDuplicate(error: NodeJS.ErrnoException): never {
    if (error.code !== "EEXIST") throw error;
    const path = relative(this.path, error.path ?? this.path);
    throw new PluginError("ARCHIVE_NAME_DUPLICATE", `the name ${shown(path)} is there twice for this file system`);
  }

  #list(path: string): void {
    this.fileCount++;
    this.#listedBytes += Buffer.byteLength(path);
    if (this.files.length < maxListed && this.#listedBytes <= maxListedBytes) this.files.push(path);
  }
}

function refused({ path, target }: Entry, why: string): PluginError {
  return new PluginError("ARCHIVE_LINK_REFUSED", `${shown(path)} ${why}, to ${shown(target)}`);
}
