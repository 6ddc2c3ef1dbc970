import { type Facts, headOf, inLanguage, type Template } from "./template.ts";

/** A plugin with one service: a durable counter. A small plugin beside its test uses it. */
export function serviceTemplate(facts: Facts): Template {
  const { name, pascal, extension } = facts;
  const total = {
    type: "object",
    required: ["total"],
    additionalProperties: false,
    properties: { total: { type: "number" } },
  };
  return {
    manifest: {
      description: "A counter that others share.",
      provides: {
        [name]: {
          description: "A total that survives restarts.",
          methods: {
            add: {
              description: "Adds to the total; resolves once that is on disk.",
              input: {
                type: "object",
                required: ["amount"],
                additionalProperties: false,
                properties: { amount: { type: "number" } },
              },
              output: total,
            },
            total: { description: "What it is now.", output: total },
          },
          streams: { changes: { description: "Each new total.", item: total } },
        },
      },
    },
    files: {
      [`index.${extension}`]: inLanguage(facts, indexInTypeScript(facts), indexInJavaScript(facts)),
      [`service.${extension}`]: inLanguage(facts, serviceInTypeScript(facts), serviceInJavaScript(facts)),
      [`test/service.test.${extension}`]: testText(facts),
      "test/consumer/plugin.json": `${JSON.stringify(consumerManifest(facts), null, 2)}\n`,
      "test/consumer/package.json": `${JSON.stringify({ type: "module" }, null, 2)}\n`,
      [`test/consumer/index.${extension}`]: inLanguage(facts, consumerInTypeScript(facts), consumerInJavaScript(facts)),
    },
    readme: `## The service \`${name}\`

| | |
|---|---|
| \`add({ amount })\` | adds to the total; resolves with \`{ total }\` once that is on disk |
| \`total()\` | \`{ total }\` as it is now |
| \`changes({}, listener)\` | each new total; gives its stop |

Another plugin names it in its manifest, \`"requires": ["${name}"]\`, and finds it in \`context.services\`; its type is
\`${pascal}Service\` in \`${facts.types}\`. \`test/consumer/\` is such a plugin.
`,
  };
}

const indexInTypeScript = ({ name }: Facts) => `import { definePlugin, type PluginContext } from "gantry";
import type { Config } from "./plugin.types.ts";
import { counter } from "./service.ts";

export default definePlugin({
  setup: ({ keyValue }: PluginContext<Config>) => ({ services: { ${keyOf(name)}: counter(keyValue) } }),
});
`;

const indexInJavaScript = ({ name, types }: Facts) => `import { definePlugin } from "gantry";
import { counter } from "./service.js";

export default definePlugin({
  /** @param {import("gantry").PluginContext<import("./${types}").Config>} context */
  setup: ({ keyValue }) => ({ services: { ${keyOf(name)}: counter(keyValue) } }),
});
`;

const members = `  return {
    add({ amount }) {
      // One after the other, so that none is lost.
      const added = last.then(async () => {
        const total = Number((await keyValue.get("total")) ?? 0) + amount;
        await keyValue.set("total", total);
        await Promise.allSettled([...listeners].map((listener) => listener({ total })));
        return { total };
      });
      last = added.catch(() => {});
      return added;
    },
    async total() {
      return { total: Number((await keyValue.get("total")) ?? 0) };
    },
    async changes(_, listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
`;

const serviceInTypeScript = ({ pascal }: Facts) => `import type { KeyValue } from "gantry";
import type { ${pascal}ChangesItem, ${pascal}Service } from "./plugin.types.ts";

/** A total that survives restarts, and tells its listeners of each change. */
export function counter(keyValue: KeyValue): ${pascal}Service {
  const listeners = new Set<(item: ${pascal}ChangesItem) => Promise<void>>();
  let last: Promise<unknown> = Promise.resolve();
${members}`;

const serviceInJavaScript = ({ pascal, types }: Facts) => `/** @import { KeyValue } from "gantry" */
/** @import { ${pascal}ChangesItem, ${pascal}Service } from "./${types}" */

/**
 * A total that survives restarts, and tells its listeners of each change.
 * @param {KeyValue} keyValue
 * @returns {${pascal}Service}
 */
export function counter(keyValue) {
  /** @type {Set<(item: ${pascal}ChangesItem) => Promise<void>>} */
  const listeners = new Set();
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
${members}`;

const consumerManifest = ({ name, extension }: Facts) => ({
  name: `${name}-user`,
  version: "1.0.0",
  description: `Uses the service ${name}, for its test.`,
  host: "^1.0.0",
  main: `index.${extension}`,
  requires: [name],
  steps: {
    add: {
      description: "Adds to the total.",
      input: { type: "object", required: ["amount"], properties: { amount: { type: "number" } } },
      output: { type: "object", properties: { total: { type: "number" } } },
    },
  },
  triggers: { changed: { description: "The total has changed." } },
});

const access = (name: string) => (name.includes("-") ? `services["${name}"]` : `services.${name}`);
const keyOf = (name: string) => (name.includes("-") ? `"${name}"` : name);

const consumerInTypeScript = ({
  name,
  pascal,
}: Facts) => `import { definePlugin, type Emit, type PluginContext } from "gantry";
import type { ${pascal}Service } from "../../plugin.types.ts";

export default definePlugin({
  setup: ({ services }: PluginContext<object, { ${keyOf(name)}: ${pascal}Service }>) => ({
    steps: { add: { run: (input: { amount: number }) => ${access(name)}.add(input) } },
    triggers: {
      changed: {
        start: (_: object, emit: Emit) =>
          ${access(name)}.changes({}, async ({ total }) => {
            await emit({ input: { total } });
          }),
      },
    },
  }),
});
`;

const consumerInJavaScript = ({ name, pascal, types }: Facts) => `import { definePlugin } from "gantry";

/** @import { Emit, PluginContext } from "gantry" */
/** @import { ${pascal}Service } from "../../${types}" */

export default definePlugin({
  /** @param {PluginContext<object, { ${keyOf(name)}: ${pascal}Service }>} context */
  setup: ({ services }) => ({
    steps: { add: { run: (/** @type {{ amount: number }} */ input) => ${access(name)}.add(input) } },
    triggers: {
      changed: {
        start: (/** @type {object} */ _, /** @type {Emit} */ emit) =>
          ${access(name)}.changes({}, async ({ total }) => {
            await emit({ input: { total } });
          }),
      },
    },
  }),
});
`;

const testText = (facts: Facts) => `${headOf(facts)}import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestHost } from "gantry/testing";

const plugins = [new URL("..", import.meta.url), new URL("consumer", import.meta.url)];
const workflows = {
  add: {
    steps: [{ id: "added", uses: "${facts.name}-user/add", with: { amount: 2 } }],
    outputs: "\${{ steps.added.outputs.total }}",
  },
  changed: {
    on: [{ trigger: "${facts.name}-user/changed" }],
    inputs: { type: "object", properties: { total: { type: "number" } } },
    steps: [{ uses: "host/signal", with: { name: "changed" } }],
    outputs: "\${{ inputs.total }}",
  },
};

test("what is added is kept over a restart, and each change is told", async () => {
  await using host = await startTestHost({ plugins, workflows });
  assert.equal((await host.run("add")).output, 2);
  assert.equal((await host.nextRun("changed")).output, 2);
  await host.stop();
  await host.resume();
  assert.equal((await host.run("add")).output, 4);
});
`;
