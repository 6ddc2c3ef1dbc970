import { isDeepStrictEqual } from "node:util";
import type { InstalledPlugin } from "./installed-plugin.ts";
import { type HostDocuments, readHost } from "./read-host.ts";

/**
 * A plugin from outside as its documents describe it now. `undefined` where a running host cannot go on with that: there
 * is no such plugin any more, it has faults, or it has other relations to other plugins than before.
 */
export function readPluginAgain(name: string, documents: HostDocuments): InstalledPlugin | undefined {
  const find = ({ plugins }: HostDocuments) => plugins.find((plugin) => plugin.name === name);
  const before = find(documents);
  const now = find(readHost(documents.file));
  if (before === undefined || now === undefined || now.builtIn || now.refusal !== undefined) return undefined;
  return isDeepStrictEqual(relationsOf(before), relationsOf(now)) ? now : undefined;
}

/** What ties it to the others of its host. */
export function relationsOf(plugin: InstalledPlugin): unknown {
  const { name, directory, requiredPlugins, requiredServices, refusal, isolation, manifest } = plugin;
  return { name, directory, requiredPlugins, requiredServices, refusal, isolation, provides: manifest.provides };
}
