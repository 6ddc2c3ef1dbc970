import type { Document } from "../documents/document.ts";
import { faultAt } from "../documents/document.ts";
import type { Fault } from "../documents/fault.ts";
import { nearest } from "../nearest.ts";
import type { FoundPlugin, FoundPlugins } from "./find-plugins.ts";
import { resolveRequirement } from "./requirements.ts";
import { startOrder } from "./start-order.ts";

export interface OrderedPlugin extends FoundPlugin {
  place: string;
  requiredPlugins: string[];
  requiredServices: string[];
}

/**
 * The enabled plugins and those they require, in order of start. A plugin with an unmet requirement, in a circle, or with
 * a service that another one already provides is refused.
 */
export function orderPlugins(source: Document, found: FoundPlugins): { plugins: OrderedPlugin[]; faults: Fault[] } {
  const faults: Fault[] = [];
  const enabled: OrderedPlugin[] = [];
  const enable = (plugin: FoundPlugin, place: string) => {
    plugin.standing = "enabled";
    plugin.place = place;
    enabled.push(Object.assign(plugin, { place, requiredPlugins: [], requiredServices: [] }));
  };
  for (const plugin of found.plugins)
    if (plugin.standing === "enabled" && plugin.place !== undefined) enable(plugin, plugin.place);
  // Grows while it is gone through.
  for (const plugin of enabled)
    for (const [index, required] of (plugin.manifest.requires ?? []).entries()) {
      const requirement = resolveRequirement(required, plugin.name, found.plugins);
      if (requirement.outcome === "met") {
        plugin.requiredPlugins.push(...requirement.plugins);
        plugin.requiredServices.push(...requirement.services);
        for (const provider of found.plugins)
          if (provider.standing === "installed" && requirement.plugins.includes(provider.name))
            enable(provider, plugin.place);
        continue;
      }
      plugin.refusal ??= `it requires ${required}, which is not there`;
      if (requirement.outcome === "disabled")
        faults.push(
          faultAt(source, `${plugin.place}/plugin`, {
            code: "REQUIREMENT_DISABLED",
            message: `plugin ${plugin.name} requires ${required}, but plugin ${requirement.plugin} is not enabled`,
          }),
        );
      // A plugin that could not be read may well provide it.
      else if (found.unreadable.length === 0) faults.push(unknown(plugin, index, required, found.plugins));
    }
  faults.push(...refuseSharedServices(source, enabled));
  const { order, circles } = startOrder(
    enabled.map(({ name, requiredPlugins }) => ({ name, requires: requiredPlugins })),
  );
  for (const circle of circles) faults.push(refuseCircle(source, circle, enabled));
  return { plugins: order.map((name) => enabled.find((plugin) => plugin.name === name)!), faults };
}

function unknown(plugin: FoundPlugin, index: number, required: string, plugins: readonly FoundPlugin[]): Fault {
  const suggestion = nearest(required, [...new Set(plugins.flatMap(({ name, provides }) => [name, ...provides]))]);
  return faultAt(plugin.document, `/requires/${index}`, {
    code: "REQUIREMENT_UNKNOWN",
    message: `no plugin is or provides ${required}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

function refuseSharedServices(source: Document, enabled: readonly OrderedPlugin[]): Fault[] {
  const providers = new Map<string, string>();
  return enabled.flatMap((plugin) => {
    const shared = plugin.provides.find((service) => providers.has(service));
    for (const service of plugin.provides) if (!providers.has(service)) providers.set(service, plugin.name);
    if (shared === undefined) return [];
    plugin.refusal ??= `plugin ${providers.get(shared)} already provides ${shared}`;
    return [
      faultAt(source, `${plugin.place}/plugin`, {
        code: "SERVICE_DUPLICATE",
        message: `plugin ${plugin.name} provides ${shared}, as plugin ${providers.get(shared)} does`,
      }),
    ];
  });
}

function refuseCircle(source: Document, circle: readonly string[], enabled: readonly OrderedPlugin[]): Fault {
  const members = enabled.filter(({ name }) => circle.includes(name));
  const first = circle.indexOf(members[0]!.name);
  const turned = [...circle.slice(first), ...circle.slice(0, first), members[0]!.name];
  const message =
    circle.length === 1
      ? `plugin ${circle[0]} requires itself`
      : `plugins require each other in a circle: ${turned.join(" -> ")}`;
  for (const member of members) member.refusal ??= message;
  return faultAt(source, `${members[0]!.place}/plugin`, { code: "PLUGIN_CIRCLE", message });
}
