// What has become of the documents between two readings of them.

import { isDeepStrictEqual } from "node:util";
import type { InstalledPlugin } from "../loading/installed-plugin.ts";
import type { HostDocuments } from "../loading/read-host.ts";
import { relationsOf } from "../loading/read-plugin-again.ts";

/** In development each plugin from outside that can has a process of its own, so that it can be replaced alone. */
export function forDevelopment(documents: HostDocuments): HostDocuments {
  const plugins = documents.plugins.map((plugin) => {
    const { isolation, ...alone } = plugin;
    return plugin.builtIn || plugin.manifest.inProcessOnly !== undefined ? plugin : alone;
  });
  return { ...documents, plugins };
}

/** Whether something that worked is broken now: nobody can tell then what its author means to be there. */
export function isBroken(before: HostDocuments, now: HostDocuments): boolean {
  if (now.configuration === undefined) return true;
  if (now.faults.every(({ severity }) => severity === "note")) return false;
  const works = ({ plugins }: HostDocuments, name: string) =>
    plugins.some((plugin) => plugin.name === name && plugin.refusal === undefined);
  return before.plugins.some(({ name }) => works(before, name) && !works(now, name));
}

/** Whether a running host cannot go on with the new documents: its own plugins, or who needs whom, have changed. */
export function needsNewHost(before: HostDocuments, now: HostDocuments): boolean {
  return !isDeepStrictEqual(skeletonOf(before), skeletonOf(now));
}

/** Whether workflows have come, gone or changed. */
export function haveSameWorkflows(before: HostDocuments, now: HostDocuments): boolean {
  return isDeepStrictEqual(textsOf(before), textsOf(now));
}

function skeletonOf({ device, configuration, plugins }: HostDocuments): unknown {
  const partOf = (plugin: InstalledPlugin) => (plugin.builtIn ? plugin : relationsOf(plugin));
  return { device, retention: configuration?.retention, plugins: plugins.map(partOf) };
}

const textsOf = ({ workflows, brokenWorkflows }: HostDocuments) => [
  workflows.map(({ file, hash }) => [file, hash]),
  brokenWorkflows,
];
