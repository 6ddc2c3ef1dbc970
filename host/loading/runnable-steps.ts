import { compileForeign, compileForValues, type SchemaProblem } from "../documents/schema-check.ts";
import { toldProblems } from "../documents/told-problems.ts";
import type { RunnableStep } from "../engine/workflow.ts";
import type { Database, Json, JsonObject, Service, Step } from "../sdk.ts";
import type { InstalledPlugin } from "./installed-plugin.ts";
import { permittedFetch } from "./permitted-fetch.ts";
import { secretsOf } from "./plugin-context.ts";

/** Makes the steps of one plugin runnable; `steps` are what it contributed, and match its manifest. */
export function runnableSteps(
  plugin: InstalledPlugin,
  steps: Readonly<Record<string, Step>>,
  services: Readonly<Record<string, Service>>,
  database: (name: string) => Database,
): RunnableStep[] {
  const { name, manifest, builtIn: trusted } = plugin;
  const shared = {
    plugin: name,
    errors: manifest.errors ?? {},
    services,
    secret: secretsOf(plugin),
    database,
    fetch: permittedFetch(name, manifest.permissions?.network ?? []),
  };
  return Object.entries(manifest.steps ?? {}).map(([step, { input, output }]) => ({
    ...shared,
    uses: `${name}/${step}`,
    implementation: steps[step]!,
    checkInput: lazyCheck(input as JsonObject, { defaults: true, trusted }),
    checkOutput: output === undefined ? () => [] : lazyCheck(output as JsonObject, { defaults: false, trusted }),
    ...(JSON.stringify(output ?? {}).includes('"writeOnly":true') ? { secretOutput: output as JsonObject } : {}),
  }));
}

/**
 * Problems in words. The schema is compiled at first use, as most steps of a device never run. `trusted`: it is one of
 * Gantry's own, and need not be watched.
 */
export function lazyCheck(
  schema: JsonObject,
  options: { defaults: boolean; trusted: boolean },
): (value: Json) => string[] {
  const check = options.trusted ? compileForValues(schema, options) : compileForeign(schema, options);
  return (value) => toldProblems(check(value).map(inWords));
}

const inWords = ({ pointer, message }: SchemaProblem) => (pointer === "" ? message : `${pointer} ${message}`);
