// What Node is told about a plugin's process: the permissions of its manifest, and its memory.

import { existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { PluginManifest } from "../../schemas/plugin.types.ts";

/** Gantry's own code: a plugin's process runs `child` of it and gives the plugin `gantry`. */
const hostFolder = fileURLToPath(new URL("../", import.meta.url));

export interface PlacedPlugin {
  manifest: Pick<PluginManifest, "permissions">;
  builtIn: boolean;
  /** Where its code lies: absolute, links resolved. */
  directory: string;
  /** Its own folder of data. */
  dataFolder: string;
}

export interface NodeOptionsInput {
  /** More than one where the operator has grouped them; they share what each may do. */
  plugins: readonly PlacedPlugin[];
  /** The host's data folder: absolute. */
  dataDirectory: string;
  memoryLimitMb: number;
}

/** The arguments of Node before the name of the module. */
export function nodeOptions({ plugins, dataDirectory, memoryLimitMb }: NodeOptionsInput): string[] {
  const permissions = plugins.map(({ manifest }) => manifest.permissions ?? {});
  const read = plugins.flatMap(({ manifest, directory }) => folders(manifest.permissions?.read, directory));
  const write = plugins.flatMap(({ manifest, directory }) => folders(manifest.permissions?.write, directory));
  const own = [...plugins.map(({ dataFolder }) => withSlash(dataFolder)), runFolders(dataDirectory)];
  const code = plugins.flatMap((plugin) => codeFolders(plugin, dataDirectory));
  return [
    "--permission",
    // It reaches files past the permissions; a plugin's databases come through the host.
    "--no-experimental-sqlite",
    "--disable-sigusr1",
    // Some of V8's flags let it write files wherever they say.
    "--freeze-flags-after-init",
    "--disable-warning=ExperimentalWarning",
    "--disable-warning=SecurityWarning",
    ...granted([hostFolder, ...code, ...own, ...read]).map((path) => `--allow-fs-read=${path}`),
    ...granted([...own, ...write]).map((path) => `--allow-fs-write=${path}`),
    ...(permissions.some(({ network = [] }) => network.length > 0) ? ["--allow-net"] : []),
    ...(permissions.some(({ run }) => run === true) ? ["--allow-child-process"] : []),
    // Buffers and code take the rest; the whole is watched from outside.
    `--max-old-space-size=${Math.ceil(memoryLimitMb * 0.75)}`,
    "--max-semi-space-size=2",
  ];
}

/**
 * Every run's own folder, but not the one they are in: a plugin can use the folders it is told of and can list none. A
 * run's id is a UUIDv7, which begins with 0 until the year 2527 and has 74 random bits.
 */
function runFolders(dataDirectory: string): string {
  return join(dataDirectory, "runs", "0*");
}

/** Where the code and the packages it may import lie. */
function codeFolders({ directory, builtIn }: PlacedPlugin, dataDirectory: string): string[] {
  // npm puts the packages that a package needs beside it.
  const modules = `${sep}node_modules${sep}`;
  const at = directory.indexOf(modules);
  if (at !== -1) return [directory.slice(0, at + modules.length)];
  const shared = builtIn ? ownPackages() : [];
  return [...without(dataDirectory, directory), ...shared];
}

/** The packages that Gantry came with; should they be behind a link, Node looks at it and at where it leads. */
function ownPackages(): string[] {
  const folder = join(hostFolder, "..", "node_modules");
  return existsSync(folder) ? [withSlash(folder), withSlash(realpathSync(folder))] : [];
}

/** All in the folder but the host's data, should that lie there. */
function without(dataDirectory: string, directory: string): string[] {
  const way = relative(directory, dataDirectory);
  if (way.startsWith("..") || isAbsolute(way)) return [withSlash(directory)];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (path === dataDirectory) return [];
    if (!entry.isDirectory()) return [path];
    return without(dataDirectory, path);
  });
}

function folders(given: readonly string[] = [], directory: string): string[] {
  // A star would be read as a pattern by Node.
  return given.filter((folder) => !folder.includes("*")).map((folder) => withSlash(resolve(directory, folder)));
}

// Without it, Node also takes `/srv/lamp-keys` for a part of `/srv/lamp`.
const withSlash = (folder: string) => (folder.endsWith(sep) ? folder : `${folder}${sep}`);

// Beside other folders Node would take `/` for all but the root itself.
const granted = (paths: string[]) => (paths.includes(sep) ? ["*"] : [...new Set(paths)]);

/** The module that a plugin's process runs: `.ts` in the repository, `.js` in the package. */
export const childModule = join(dirname(fileURLToPath(import.meta.url)), `child${import.meta.url.slice(-3)}`);
