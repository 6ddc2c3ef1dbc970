import { bounded } from "../documents/bounded.ts";
import { compileSchema, type SchemaProblem } from "../documents/schema-check.ts";
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

/** How long a schema that is not Gantry's own may keep the host from everything else; what it finds piles up meanwhile. */
const patienceMs = 500;

/**
 * Problems in words. The schema is compiled at first use, as most steps of a device never run. `trusted`: it is one of
 * Gantry's own, and need not be watched.
 */
export function lazyCheck(
  schema: JsonObject,
  options: { defaults: boolean; trusted: boolean },
): (value: Json) => string[] {
  let check: ReturnType<typeof compileSchema> | undefined;
  const problemsOf = (value: Json) => {
    check ??= compileSchema(schema, options);
    return check(value).map(inWords);
  };
  if (options.trusted) return problemsOf;
  return (value) =>
    bounded(() => problemsOf(value), patienceMs)?.value ?? [
      `it cannot be held against its schema within ${patienceMs} ms`,
    ];
}

const inWords = ({ pointer, message }: SchemaProblem) => (pointer === "" ? message : `${pointer} ${message}`);
