import type { PluginEntry } from "../../schemas/plugins.types.ts";
import type { VerbCatalogue } from "../documents/catalogue.ts";
import { type Document, faultAt } from "../documents/document.ts";
import type { Fault } from "../documents/fault.ts";
import { pointerTo } from "../documents/pointer.ts";
import { type SchemaProblem, schemaFaults } from "../documents/schema-check.ts";
import { type FoundPlugin, findPlugins } from "./find-plugins.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";
import { type OrderedPlugin, orderPlugins } from "./order-plugins.ts";
import { readConfig } from "./read-config.ts";
import { createVerbCatalogue } from "./verb-catalogue.ts";

export interface PluginsReading {
  /** In order of start, also those that are refused. */
  plugins: InstalledPlugin[];
  catalogue: VerbCatalogue;
  /** What entries that cannot be read are probably called. */
  unreadable: string[];
  /** Names of the plugins that are there but not enabled. */
  idle: string[];
  faults: Fault[];
}

/** `broken` are the indexes of entries that do not follow the schema. Runs no plugin code. */
export function readPlugins(
  source: Document,
  entries: readonly PluginEntry[],
  broken: ReadonlySet<number>,
  builtInDirectory: string,
): PluginsReading {
  const found = findPlugins(source, entries, broken, builtInDirectory);
  const ordered = orderPlugins(source, found);
  const configured = found.plugins.map((plugin) => configure(source, plugin));
  const installed = ordered.plugins.map((plugin) => install(plugin, configured[found.plugins.indexOf(plugin)]!));
  const catalogue = createVerbCatalogue(
    found.plugins.map((plugin, index) => ({
      manifest: plugin.manifest,
      builtIn: plugin.builtIn,
      config: plugin.standing === "enabled" ? configured[index]!.config : undefined,
    })),
  );
  const faults = [...found.faults, ...ordered.faults, ...configured.flatMap((reading) => reading.faults)];
  const idle = found.plugins.filter(({ standing }) => standing !== "enabled").map(({ name }) => name);
  return { plugins: installed, catalogue, unreadable: found.unreadable, idle, faults };
}

interface Configured {
  config: InstalledPlugin["config"];
  problems: SchemaProblem[];
  faults: Fault[];
}

function configure(source: Document, plugin: FoundPlugin): Configured {
  const { place, given, manifest, standing } = plugin;
  // Nobody asks for it, so nobody need configure it.
  if (place === undefined) return { config: {}, problems: [], faults: [] };
  const { config, problems, ignored } = readConfig(given ?? {}, manifest, plugin.builtIn);
  const base = given === undefined ? place : `${place}/config`;
  const faults = schemaFaults(
    source,
    problems.map((problem) => ({ ...problem, pointer: `${base}${problem.pointer}` })),
  );
  const notes = ignored.map((name) =>
    faultAt(source, `${base}${pointerTo([name])}`, {
      code: "CONFIG_IGNORED",
      message: `${name} has no use in plugin ${manifest.name} and is ignored`,
      severity: "note",
      where: "key",
    }),
  );
  return { config, problems: standing === "enabled" ? problems : [], faults: [...faults, ...notes] };
}

function install(plugin: OrderedPlugin, { config, problems }: Configured): InstalledPlugin {
  const { name, manifest, directory, main, builtIn, requiredPlugins, requiredServices } = plugin;
  const { isolation, memoryLimitMb = manifest.memoryLimitMb } = plugin;
  const wrong = problems.map(({ pointer, message }) => `${pointer} ${message}`).join("; ");
  const refusal = plugin.refusal ?? (wrong === "" ? undefined : `its configuration has faults: ${wrong}`);
  return {
    name,
    manifest,
    directory,
    main,
    builtIn,
    config,
    requiredPlugins: [...new Set(requiredPlugins)],
    requiredServices: [...new Set(requiredServices)],
    ...(isolation === undefined ? {} : { isolation }),
    ...(memoryLimitMb === undefined ? {} : { memoryLimitMb }),
    ...(refusal === undefined ? {} : { refusal }),
  };
}
