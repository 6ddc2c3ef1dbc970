import { type Facts, headOf, inLanguage, type Template } from "./template.ts";

/** A plugin with one trigger: a folder in which files arrive. */
export function triggerTemplate(facts: Facts): Template {
  const { name, extension } = facts;
  return {
    manifest: {
      description: "Starts runs for files that arrive in a folder of its own.",
      config: {
        type: "object",
        additionalProperties: false,
        properties: {
          intervalMs: {
            type: "integer",
            minimum: 50,
            default: 500,
            description: "How often it looks, in milliseconds.",
          },
        },
      },
      triggers: {
        arrived: {
          description: "A file has arrived.",
          with: {
            type: "object",
            additionalProperties: false,
            properties: { box: { type: "string", pattern: "^[a-z0-9-]+$", default: "inbox" } },
          },
          input: {
            type: "object",
            required: ["name", "content"],
            additionalProperties: false,
            properties: { name: { type: "string" }, content: { type: "string" } },
          },
        },
      },
    },
    files: {
      [`index.${extension}`]: inLanguage(facts, indexInTypeScript, indexInJavaScript(facts)),
      [`triggers/arrived.${extension}`]: inLanguage(facts, triggerInTypeScript, triggerInJavaScript(facts)),
      [`test/arrived.test.${extension}`]: testText(facts),
    },
    readme: `Its setting is \`intervalMs\`, how often it looks; default 500.

## \`${name}/arrived\`

Starts a run for each file in the folder \`box\` (default \`inbox\`) of the plugin's own folder, which is
\`plugins/${name}\` in the host's data folder. Put a file there by renaming it, so that it is whole when it is found.
The run's input is its \`name\` and \`content\`.

\`\`\`json
{ "trigger": "${name}/arrived", "with": { "box": "inbox" } }
\`\`\`

**No file is lost, and none starts two runs.** A file is removed once its run is on disk. One that is still there after a
crash is emitted again as a redelivery, and gives the run it has already given. What no workflow takes goes into
\`refused\` beside it.
`,
  };
}

const indexInTypeScript = `import { definePlugin, type PluginContext } from "gantry";
import type { Config } from "./plugin.types.ts";
import { arrived } from "./triggers/arrived.ts";

export default definePlugin({
  setup: ({ config, directory }: PluginContext<Config>) => ({ triggers: { arrived: arrived(directory, config) } }),
});
`;

const indexInJavaScript = ({ types }: Facts) => `import { definePlugin } from "gantry";
import { arrived } from "./triggers/arrived.js";

export default definePlugin({
  /** @param {import("gantry").PluginContext<import("./${types}").Config>} context */
  setup: ({ config, directory }) => ({ triggers: { arrived: arrived(directory, config) } }),
});
`;

const imports = `import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setInterval } from "node:timers/promises";
`;

const start = `({
  async start({ box }, emit, { log }) {
    const folder = join(directory, box);
    await mkdir(join(folder, "refused"), { recursive: true });
    const stopped = new AbortController();
    const looking = look();
    return async () => {
      stopped.abort();
      await looking;
    };

    async function look() {
      try {
        for await (const _ of setInterval(intervalMs, null, { signal: stopped.signal })) await takeAll();
      } catch (error) {
        if (!stopped.signal.aborted) log.error("the folder is no longer watched", { folder, error: String(error) });
      }
    }

    async function takeAll() {
      for (const entry of await readdir(folder, { withFileTypes: true })) if (entry.isFile()) await take(entry.name);
    }

    async function take(NAME) {
      const file = join(folder, name);
      const { mtimeMs, size } = await stat(file);
      const content = await readFile(file, "utf8");
      try {
        // Found again after a crash, it is recognised, and starts no second run.
        const delivery = { key: name, fingerprint: \`\${mtimeMs} \${size}\`, redelivered: true };
        await emit({ input: { name, content }, delivery });
        // Only now is the run on disk, so that the file may go.
        await rm(file);
      } catch (error) {
        // What cannot be taken now stays; what nobody will ever take makes room.
        if (RETRYABLE) return;
        log.warn("no workflow takes the file", { name, error: String(error) });
        await rename(file, join(folder, "refused", name));
      }
    }
  },
});
`;

const triggerInTypeScript = `${imports}import type { Trigger } from "gantry";
import type { ArrivedOptions, Config } from "../plugin.types.ts";

/** A file has arrived in a folder inside \`directory\`. */
export const arrived = (directory: string, { intervalMs }: Config): Trigger<ArrivedOptions> => ${start
  .replace("NAME", "name: string")
  .replace("RETRYABLE", "(error as { retryable?: boolean }).retryable === true")}`;

const triggerInJavaScript = ({ types }: Facts) => `${imports}
/** @import { Trigger } from "gantry" */
/** @import { ArrivedOptions, Config } from "../${types}" */

/**
 * A file has arrived in a folder inside \`directory\`.
 * @param {string} directory
 * @param {Config} config
 * @returns {Trigger<ArrivedOptions>}
 */
export const arrived = (directory, { intervalMs }) => ${start
  .replace("    async function take(NAME)", "    /** @param {string} name */\n    async function take(name)")
  .replace("RETRYABLE", "/** @type {{ retryable?: boolean }} */ (error).retryable === true")}`;

const testText = (facts: Facts) => `${headOf(facts)}import assert from "node:assert/strict";
import { readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startTestHost, waitFor } from "gantry/testing";

const take = {
  on: [{ trigger: "${facts.name}/arrived", with: { box: "orders" } }],
  inputs: {
    type: "object",
    properties: { name: { type: "string" }, content: { type: "string", pattern: "^order" } },
  },
  steps: [{ uses: "host/signal", with: { name: "taken" } }],
  outputs: "\${{ inputs.content }}",
};

test("a file that arrives starts a run with its content, and goes; what no workflow takes is set aside", async () => {
  const plugin = { plugin: new URL("..", import.meta.url), config: { intervalMs: 50 } };
  await using host = await startTestHost({ plugins: [plugin], workflows: { take } });
  const box = join(host.data, "plugins", "${facts.name}", "orders");
  await writeFile(join(host.directory, "new"), "order 1");
  await rename(join(host.directory, "new"), join(box, "1.txt"));
  const run = await host.nextRun("take");
  assert.deepEqual([run.status, run.output], ["succeeded", "order 1"]);
  await writeFile(join(host.directory, "new"), "no order");
  await rename(join(host.directory, "new"), join(box, "2.txt"));
  await waitFor("the refused file", async () => (await readdir(join(box, "refused"))).includes("2.txt"));
  assert.deepEqual(await readdir(box), ["refused"]);
  assert.equal(host.runs("take").length, 1);
});
`;
