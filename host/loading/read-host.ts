// plugins.json and all that it leads to -> the documents a host starts from. No plugin code runs here, so `gantry
// validate` needs nothing else.

import { resolve } from "node:path";
import type { HostConfiguration } from "../../schemas/plugins.types.ts";
import type { VerbCatalogue } from "../documents/catalogue.ts";
import { checkConfiguration } from "../documents/check-configuration.ts";
import { readDocument } from "../documents/document.ts";
import type { Fault } from "../documents/fault.ts";
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
      faults: found,
    };
  const configuration = document.value as unknown as HostConfiguration;
  const broken = new Set(serious.flatMap(({ pointer }) => brokenEntry(pointer) ?? []));
  const plugins = readPlugins(document, configuration.plugins, broken, options.builtInDirectory ?? builtInDirectory);
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
    faults: [...found, ...plugins.faults, ...workflows.faults],
  };
}

// A fault inside one entry of `plugins` concerns that plugin only; any other leaves nothing to rely on.
function brokenEntry(pointer: string): number | undefined {
  const index = /^\/plugins\/(\d+)(?:\/|$)/.exec(pointer)?.[1];
  return index === undefined ? undefined : Number(index);
}
