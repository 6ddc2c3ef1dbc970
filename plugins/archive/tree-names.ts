// The names that an archive has given so far: each once, and nothing below what is no folder.

import { posix } from "node:path";
import { PluginError } from "gantry";
import { shown } from "./failures.ts";

type Kind = "file" | "directory" | "link";

export class TreeNames {
  readonly #kinds = new Map<string, Kind>([["", "directory"]]);
  /** Where symbolic links lead, by their own path. */
  readonly #targets = new Map<string, string>();

  /**
   * Takes a name; gives the folders that have to be made for it, outermost first. A folder may be named again, and then
   * comes with nothing to make. Throws ARCHIVE_NAME_DUPLICATE.
   */
  take(path: string, kind: Kind, target?: string): string[] {
    const missing: string[] = [];
    for (const folder of ancestorsOf(path)) {
      const found = this.#kinds.get(folder);
      if (found === "directory") continue;
      if (found !== undefined) throw duplicate(folder, `is a ${found} and a folder`);
      this.#kinds.set(folder, "directory");
      missing.push(folder);
    }
    const found = this.#kinds.get(path);
    if (found !== undefined) {
      if (found === "directory" && kind === "directory") return missing;
      throw duplicate(path, "is there twice");
    }
    this.#kinds.set(path, kind);
    if (target !== undefined) this.#targets.set(path, target);
    if (kind === "directory") missing.push(path);
    return missing;
  }

  isFile(path: string): boolean {
    return this.#kinds.get(path) === "file";
  }

  folders(): string[] {
    return [...this.#kinds].filter(([, kind]) => kind === "directory").map(([path]) => path);
  }

  /**
   * What a symbolic link leads to in the end, all links on the way followed as the system will follow them; undefined
   * where that is outside, nothing, or a circle. Also undefined where it is outside for programs that take `..` back
   * before they follow links, as Node's own realpathSync does.
   */
  resolve(link: string): string | undefined {
    if (/^\.\.(\/|$)/.test(posix.join(posix.dirname(link), this.#targets.get(link)!))) return undefined;
    let hops = 0;
    const walk = (folder: string[], target: string): string[] | undefined => {
      if (target === "" || target.startsWith("/") || ++hops > 40) return undefined;
      let place = folder;
      for (const part of target.split("/")) {
        // Also `.` and `..` are to be found in a folder only.
        if (this.#kinds.get(place.join("/")) !== "directory") return undefined;
        if (part === "" || part === ".") continue;
        if (part === "..") {
          if (place.length === 0) return undefined;
          place = place.slice(0, -1);
          continue;
        }
        const path = [...place, part].join("/");
        const kind = this.#kinds.get(path);
        if (kind === undefined) return undefined;
        const next = kind === "link" ? walk(place, this.#targets.get(path)!) : [...place, part];
        if (next === undefined) return undefined;
        place = next;
      }
      return place;
    };
    return walk(link.split("/").slice(0, -1), this.#targets.get(link)!)?.join("/");
  }
}

/** Of a/b/c: a, a/b. */
function* ancestorsOf(path: string): Generator<string> {
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) yield path.slice(0, slash);
}

const duplicate = (path: string, why: string) =>
  new PluginError("ARCHIVE_NAME_DUPLICATE", `the name ${shown(path)} ${why} in the archive`);
