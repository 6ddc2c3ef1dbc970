// Real folders with a configuration, plugins and workflows, for the tests of this folder.

import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { hostPlugin } from "../../host/loading/locate-plugin.ts";
import { type HostDocuments, readHost } from "../../host/loading/read-host.ts";

export const fixturePlugins = fileURLToPath(new URL("../fixtures/plugins/", import.meta.url));

export interface HostFolder {
  path: string;
  configurationFile: string;
}

/** Outside the repository. Each file is a text, or a value that is written as JSON; removed after the test. */
export function makeHostFolder(t: TestContext, files: Record<string, unknown>): HostFolder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "gantry-host-")));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), typeof content === "string" ? content : JSON.stringify(content, null, 2));
  }
  return { path, configurationFile: join(path, "plugins.json") };
}

/** Reads the configuration, and leaves out the host's own plugin, which is part of every host. */
export function readListed(configurationFile: string, options: Parameters<typeof readHost>[1] = {}): HostDocuments {
  const documents = readHost(configurationFile, options);
  const { host: _, ...config } = documents.catalogue.config;
  return {
    ...documents,
    plugins: documents.plugins.filter(({ name }) => name !== hostPlugin.name),
    catalogue: { ...documents.catalogue, config },
  };
}

/** Puts a copy of a fixture plugin into the folder. */
export function copyFixture(folder: HostFolder, name: string, into = `plugins/${name}`): void {
  cpSync(join(fixturePlugins, name), join(folder.path, into), { recursive: true });
}

/** The files of a JavaScript plugin in `plugins/<name>`; `setup` is the body of its setup function. */
export function pluginFiles(name: string, setup: string, manifest: object = {}): Record<string, unknown> {
  return {
    [`plugins/${name}/plugin.json`]: { name, version: "1.0.0", host: "^1.0.0", main: "index.js", ...manifest },
    [`plugins/${name}/package.json`]: { type: "module" },
    [`plugins/${name}/index.js`]: `import { definePlugin, PluginUnavailable } from "gantry";
import * as fs from "node:fs";
export default definePlugin({ async setup(context) { ${setup} } });
`,
  };
}
