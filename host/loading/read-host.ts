// plugins.json and all that it leads to -> the documents a host starts from. No plugin code runs here, so `gantry
// validate` needs nothing else.

import { resolve } from "node:path";
import type { HostConfiguration, PluginEntry } from "../../schemas/plugins.types.ts";
import type { VerbCatalogue } from "../documents/catalogue.ts";
import { checkConfiguration } from "../documents/check-configuration.ts";
import { type Document, readDocument } from "../documents/document.ts";
import { type Fault, inOrder } from "../documents/fault.ts";
import type { BrokenWorkflow, LoadedWorkflow } from "../engine/workflow.ts";
import type { DeviceIdentity } from "../sdk.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";
import { builtInDirectory } from "./locate-plugin.ts";
import { readPlugins } from "./read-plugins.ts";
import { readWorkflows } from "./read-workflows.ts";
import { createVerbCatalogue } from "./verb-catalogue.ts";

export interface HostDocuments {
  /** Absolute path of plugins.json. */
  file: string;
  /** Undefined when plugins.json cannot be used; then nothing may be started, and all lists are empty. */
  configuration: HostConfiguration | undefined;
  device: DeviceIdentity | undefined;
  /** In order of start, also those that are refused. */
  plugins: InstalledPlugin[];
  /** Those whose triggers are to be started; a document with a fault is left out. */
  workflows: LoadedWorkflow[];
  /** Sound documents that are switched off, or need a plugin that is not enabled. */
  inactiveWorkflows: LoadedWorkflow[];
  /** Documents with faults, whose triggers are started to refuse what comes. */
  brokenWorkflows: BrokenWorkflow[];
  /** All sound workflows, by name: what others may call. */
  callable: ReadonlyMap<string, LoadedWorkflow>;
  catalogue: VerbCatalogue;
  faults: Fault[];
}

/**
 * Reads the configuration file, the manifests and configuration of its plugins, and the workflow documents, and gives all
 * faults at once. A broken plugin or workflow is left out alone.
 */
export function readHost(configurationFile: string, options: { builtInDirectory?: string } = {}): HostDocuments {
  const file = resolve(configurationFile);
  const { document, faults } = readDocument(file);
  const found = document === undefined ? faults : [...faults, ...checkConfiguration(document)];
  const serious = found.filter(({ severity }) => severity === "fault");
  const broken = new Set(serious.flatMap(({ pointer }) => brokenEntry(pointer) ?? []));
  const builtIn = options.builtInDirectory ?? builtInDirectory;
  if (document === undefined || serious.some(({ pointer }) => brokenEntry(pointer) === undefined))
    return {
      file,
      configuration: undefined,
      device: undefined,
      plugins: [],
      workflows: [],
      inactiveWorkflows: [],
      brokenWorkflows: [],
      callable: new Map(),
      catalogue: createVerbCatalogue([]),
      faults: ownFirst(file, [...found, ...(document === undefined ? [] : furtherFaults(document, broken, builtIn))]),
    };
  const configuration = document.value as unknown as HostConfiguration;
  const plugins = readPlugins(document, configuration.plugins, broken, builtIn);
  const workflows = readWorkflows(document, configuration.workflows ?? [], plugins);
  return {
    file,
    configuration,
    device: configuration.device as DeviceIdentity | undefined,
    plugins: plugins.plugins,
    workflows: workflows.active,
    inactiveWorkflows: workflows.inactive,
    brokenWorkflows: workflows.broken,
    callable: workflows.callable,
    catalogue: { ...plugins.catalogue, workflows: workflows.known },
    faults: ownFirst(file, [...found, ...plugins.faults, ...workflows.faults]),
  };
}

function ownFirst(file: string, faults: Fault[]): Fault[] {
  const own = faults.filter((fault) => fault.file === file);
  return [...inOrder(own), ...faults.filter((fault) => fault.file !== file)];
}

/** What else is wrong where plugins.json cannot be used: so much of it as can be read. */
function furtherFaults(document: Document, broken: ReadonlySet<number>, builtIn: string): Fault[] {
  const { plugins: entries, workflows: folders } = document.value as Partial<Record<string, unknown>>;
  if (!Array.isArray(entries)) return [];
  const plugins = readPlugins(document, entries as PluginEntry[], broken, builtIn);
  const isReadable = Array.isArray(folders) && folders.every((folder) => typeof folder === "string");
  const workflows = readWorkflows(document, isReadable ? folders : [], plugins);
  return [...plugins.faults, ...workflows.faults];
}

// A fault inside one entry of `plugins` concerns that plugin only; any other leaves nothing to rely on.
function brokenEntry(pointer: string): number | undefined {
  const index = /^\/plugins\/(\d+)(?:\/|$)/.exec(pointer)?.[1];
  return index === undefined ? undefined : Number(index);
}
