// What a workflow `requires` of the device, held against what is there.

import { statfsSync } from "node:fs";
import satisfies from "semver/functions/satisfies.js";
import packageJson from "../../package.json" with { type: "json" };
import type { Workflow as WorkflowDocument } from "../../schemas/workflow.types.ts";
import { GantryError } from "../errors.ts";
import { compile, evaluate, type Scope } from "../expressions/index.ts";
import type { Json } from "../sdk.ts";

export interface Surroundings {
  /** The version of an active plugin. */
  versionOf(plugin: string): string | undefined;
  dataDirectory: string;
  scope: Scope;
}

/** Throws REQUIREMENT_UNMET naming everything that does not hold. */
export function checkRequirements({ name, requires }: WorkflowDocument, surroundings: Surroundings): void {
  if (requires === undefined) return;
  const { versionOf, dataDirectory, scope } = surroundings;
  const unmet: string[] = [];
  const { host, plugins = {}, device = {}, freeDiskBytes } = requires;
  if (host !== undefined && !fits(packageJson.version, host))
    unmet.push(`Gantry ${host} (this is ${packageJson.version})`);
  for (const [plugin, range] of Object.entries(plugins)) {
    const version = versionOf(plugin);
    if (version === undefined) unmet.push(`the plugin ${plugin} ${range} (it is not active)`);
    else if (!fits(version, range)) unmet.push(`the plugin ${plugin} ${range} (there is ${version})`);
  }
  const identity = (scope.device ?? {}) as Record<string, Json>;
  for (const [property, value] of Object.entries(device))
    if (!Object.hasOwn(identity, property) || identity[property] !== value)
      unmet.push(`the device's ${property} to be ${JSON.stringify(value)}`);
  if (freeDiskBytes !== undefined) {
    const needed = evaluate(compile(freeDiskBytes), scope);
    if (typeof needed !== "number") throw new GantryError("EXPRESSION_FAILED", "`freeDiskBytes` must be a number");
    const { bavail, bsize } = statfsSync(dataDirectory);
    if (bavail * bsize < needed) unmet.push(`${needed} free bytes on disk (there are ${bavail * bsize})`);
  }
  if (unmet.length === 0) return;
  throw new GantryError("REQUIREMENT_UNMET", `${name} requires ${unmet.join("; ")}`, { details: { unmet } });
}

const fits = (version: string, range: string) => satisfies(version, range, { includePrerelease: true });
