// The folder of a test's host: its configuration, its documents, its data.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { locatePlugin } from "../loading/locate-plugin.ts";
import { readHost } from "../loading/read-host.ts";
import type { JsonObject } from "../sdk.ts";

/** An entry of plugins.json. */
export interface TestPlugin {
  /** A name, or a folder: absolute, a file URL, or relative to the working directory. */
  plugin: string | URL;
  config?: object;
  isolation?: string;
  memoryLimitMb?: number;
  enabled?: boolean;
}

export class HostFolder implements Disposable {
  /** Links resolved, as the permissions of plugins need it. */
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "gantry-test-")));
  readonly config = join(this.path, "plugins.json");
  readonly data = join(this.path, "data");

  constructor(configuration: JsonObject, workflows: Record<string, object>) {
    mkdirSync(join(this.path, "workflows"));
    writeFileSync(this.config, JSON.stringify({ workflows: ["./workflows"], ...configuration }, null, 2));
    for (const [name, document] of Object.entries(workflows))
      writeFileSync(join(this.path, "workflows", `${name}.json`), JSON.stringify({ name, ...document }, null, 2));
  }

  /** Throws an Error with all faults of the documents. */
  check(): void {
    const faults = readHost(this.config).faults.filter(({ severity }) => severity === "fault");
    const words = faults.map(
      ({ file, line, column, code, message }) => `${file}:${line}:${column} ${message} (${code})`,
    );
    if (words.length > 0) throw new Error(`the documents of the test have faults:\n${words.join("\n")}`);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The entry for plugins.json, which lies elsewhere: names of packages and relative paths are those of the test. */
export function entryOf(given: string | URL | TestPlugin): JsonObject {
  const { plugin, ...more } = typeof given === "string" || given instanceof URL ? { plugin: given } : given;
  if (plugin instanceof URL) return { plugin: fileURLToPath(plugin), ...more } as JsonObject;
  const here = join(process.cwd(), "plugins.json");
  return { plugin: locatePlugin(plugin, here) ?? plugin, ...more } as JsonObject;
}
