// The entries of plugins.json, and Gantry's own plugins beside them -> the plugins that are there, with their manifests.

import { existsSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import type { PluginManifest } from "../../schemas/plugin.types.ts";
import type { PluginEntry } from "../../schemas/plugins.types.ts";
import { type Document, faultAt } from "../documents/document.ts";
import type { Fault } from "../documents/fault.ts";
import { nearest } from "../nearest.ts";
import type { JsonObject } from "../sdk.ts";
import { builtInNames, hostPlugin, liesWithin, locatePlugin } from "./locate-plugin.ts";
import { readManifest } from "./read-manifest.ts";
import type { Provider } from "./requirements.ts";

export interface FoundPlugin extends Provider {
  manifest: PluginManifest;
  /** Its plugin.json. */
  document: Document;
  directory: string;
  main: string;
  builtIn: boolean;
  /** Pointer of its entry in plugins.json, or of the entry that led to it; undefined while nobody asks for it. */
  place: string | undefined;
  /** The entry's `config`; undefined where there is none. */
  given: JsonObject | undefined;
  /** The entry's words on its process. */
  isolation?: string;
  memoryLimitMb?: number;
  refusal?: string;
}

export interface FoundPlugins {
  /** The host's own first, then in the order of the entries, those not listed behind them. */
  plugins: FoundPlugin[];
  /** What entries that cannot be read are probably called. */
  unreadable: string[];
  faults: Fault[];
}

/** `broken` are the indexes of entries that do not follow the schema. */
export function findPlugins(
  source: Document,
  entries: readonly PluginEntry[],
  broken: ReadonlySet<number>,
  builtInDirectory: string,
): FoundPlugins {
  const plugins: FoundPlugin[] = [];
  const unreadable: string[] = [];
  const faults: Fault[] = [];
  const repeated = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    if (broken.has(index)) {
      // Its name may stand alone, or under a key of another word.
      const texts = Object.values(typeof entry === "string" ? [entry] : (entry ?? {}));
      unreadable.push(...texts.filter((text) => typeof text === "string").flatMap(likelyNames));
      continue;
    }
    const place = `/plugins/${index}`;
    const folder = locatePlugin(entry.plugin, source.file, builtInDirectory);
    const isHost = folder === hostPlugin.directory;
    if (isHost && entry.enabled === false) faults.push(alwaysThere(source, place));
    const enabled = entry.enabled !== false || isHost;
    if (folder === undefined || !existsSync(join(folder, "plugin.json"))) {
      unreadable.push(...likelyNames(entry.plugin));
      if (enabled) faults.push(notFound(source, place, entry.plugin, folder, builtInDirectory));
      continue;
    }
    const directory = realpathSync(folder);
    const builtIn = isHost || liesWithin(directory, builtInDirectory);
    const reading = readManifest(directory, builtIn);
    // What is not enabled may be half finished.
    if (enabled) faults.push(...reading.faults);
    const { document, manifest, main } = reading;
    if (document === undefined || manifest === undefined) {
      unreadable.push(...likelyNames(entry.plugin), ...declaredName(document));
      continue;
    }
    if (plugins.some(({ name }) => name === manifest.name) || (manifest.name === hostPlugin.name && !isHost)) {
      if (!repeated.has(manifest.name)) faults.push(duplicate(source, place, manifest.name));
      repeated.add(manifest.name);
      continue;
    }
    const misplaced = misplacement(source, place, entry, manifest, builtIn);
    if (enabled && misplaced !== undefined) faults.push(misplaced);
    const [fault] = reading.faults.filter(({ severity }) => severity === "fault");
    plugins.push({
      name: manifest.name,
      provides: Object.keys(manifest.provides ?? {}),
      standing: enabled ? "enabled" : "disabled",
      manifest,
      document,
      directory,
      main: main ?? join(directory, manifest.main),
      builtIn,
      place,
      given: entry.config as JsonObject | undefined,
      ...(entry.isolation === undefined ? {} : { isolation: entry.isolation }),
      ...(entry.memoryLimitMb === undefined ? {} : { memoryLimitMb: entry.memoryLimitMb }),
      ...(fault === undefined ? {} : { refusal: `its plugin.json has a fault: ${fault.message}` }),
      ...(misplaced === undefined ? {} : { refusal: misplaced.message }),
    });
  }
  const own = plugins.find(({ name }) => name === hostPlugin.name) ?? {
    ...notListed(hostPlugin.directory)[0]!,
    standing: "enabled",
    place: "/plugins",
  };
  const listed = [own, ...plugins.filter((plugin) => plugin !== own)];
  const others = builtInNames(builtInDirectory)
    .flatMap((folder) => notListed(realpathSync(join(builtInDirectory, folder))))
    .filter(({ name }) => listed.every((plugin) => plugin.name !== name));
  return { plugins: [...listed, ...others], unreadable, faults };
}

/** One of Gantry's own plugins that no entry names; empty where it is not sound. */
function notListed(directory: string): FoundPlugin[] {
  const { document, manifest, main, faults } = readManifest(directory, true);
  if (document === undefined || manifest === undefined || main === undefined || faults.length > 0) return [];
  return [
    {
      name: manifest.name,
      provides: Object.keys(manifest.provides ?? {}),
      standing: "installed",
      manifest,
      document,
      directory,
      main,
      builtIn: true,
      place: undefined,
      given: undefined,
    },
  ];
}

function alwaysThere(source: Document, place: string): Fault {
  return faultAt(source, `${place}/enabled`, {
    code: "VALUE_WRONG",
    message: "`enabled` must not be false: this plugin is part of every host",
  });
}

function notFound(source: Document, place: string, plugin: string, folder: string | undefined, builtIn: string): Fault {
  const suggestion = nearest(plugin, [hostPlugin.name, ...builtInNames(builtIn)]);
  let message = `there is neither a built-in plugin nor a package ${plugin}`;
  if (folder !== undefined)
    message = existsSync(folder) ? `${folder} has no plugin.json` : `there is no folder ${folder}`;
  return faultAt(source, `${place}/plugin`, {
    code: "PLUGIN_NOT_FOUND",
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

/** One that can run in the host's process only, and would be in another. */
function misplacement(
  source: Document,
  place: string,
  { isolation }: PluginEntry,
  { name, inProcessOnly }: PluginManifest,
  builtIn: boolean,
): Fault | undefined {
  const isInProcess = isolation === undefined ? builtIn : isolation === "in-process";
  if (inProcessOnly === undefined || isInProcess) return undefined;
  return faultAt(source, isolation === undefined ? `${place}/plugin` : `${place}/isolation`, {
    code: "PLUGIN_IN_PROCESS_ONLY",
    message: `${name} can run in the host's process only: ${inProcessOnly}`,
  });
}

function duplicate(source: Document, place: string, name: string): Fault {
  return faultAt(source, `${place}/plugin`, {
    code: "PLUGIN_DUPLICATE",
    message: `an entry before this one already gives a plugin named ${name}`,
  });
}

// `./plugins/lamp` and `@acme/gantry-lamp` are both probably called lamp.
function likelyNames(plugin: string): string[] {
  const name = basename(plugin);
  return [name, name.replace(/^gantry-(plugin-)?/, "")];
}

function declaredName(document: Document | undefined): string[] {
  const value = document?.value as { name?: unknown } | null | undefined;
  return typeof value?.name === "string" ? [value.name] : [];
}
