import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/**
 * What is below a folder: relative path to content, "/" for folders, "-> x" for links, "?" for pipes and the like. Other
 * than readdir's own `recursive` it does not go through links.
 */
export function treeOf(root: string, folder = ""): Record<string, string> {
  const found = readdirSync(join(root, folder))
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      const stats = lstatSync(join(root, path));
      if (stats.isDirectory()) return [[path, "/"], ...Object.entries(treeOf(root, path))];
      if (stats.isSymbolicLink()) return [[path, `-> ${readlinkSync(join(root, path))}`]];
      return [[path, stats.isFile() ? readFileSync(join(root, path), "utf8") : "?"]];
    });
  return Object.fromEntries(found);
}
