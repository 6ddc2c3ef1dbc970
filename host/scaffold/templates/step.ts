import { type Facts, headOf, inLanguage, type Template } from "./template.ts";

/** A plugin with one step. */
export function stepTemplate(facts: Facts): Template {
  const { name, prefix, extension } = facts;
  return {
    manifest: {
      description: "Greets.",
      config: {
        type: "object",
        additionalProperties: false,
        properties: { greeting: { type: "string", default: "Hello", description: "The words before the name." } },
      },
      steps: {
        greet: {
          description: "Greets somebody.",
          input: {
            type: "object",
            required: ["who"],
            additionalProperties: false,
            properties: {
              who: { type: "string", description: "Whom to greet." },
              times: { type: "integer", minimum: 1, maximum: 100, default: 1 },
            },
          },
          output: {
            type: "object",
            required: ["text"],
            additionalProperties: false,
            properties: { text: { type: "string" } },
          },
          examples: [
            { description: "a greeting", with: { who: "Ada" }, outputs: { text: "Hello Ada" } },
            { description: "nobody", with: { who: " " }, fails: `${prefix}_NOBODY` },
          ],
        },
      },
      errors: {
        [`${prefix}_NOBODY`]: {
          description: "There is nobody to greet.",
          remedy: "Give the step a name in `who`.",
          retryable: false,
        },
      },
    },
    files: {
      [`index.${extension}`]: inLanguage(facts, indexInTypeScript, indexInJavaScript(facts)),
      [`steps/greet.${extension}`]: inLanguage(facts, stepInTypeScript(facts), stepInJavaScript(facts)),
      [`test/greet.test.${extension}`]: testText(facts),
    },
    readme: `Its setting is \`greeting\`, the words before the name; default \`Hello\`.

## \`${name}/greet\`

Greets somebody.

| input | |
|---|---|
| \`who\` | whom to greet |
| \`times\` | how often; 1 to 100, default 1 |

Its output is \`text\`. It fails with \`${prefix}_NOBODY\` where \`who\` is blank.

**Repeating it** is safe: it changes nothing outside the run.

\`\`\`json
{ "id": "greeting", "uses": "${name}/greet", "with": { "who": "Ada" } }
\`\`\`
`,
  };
}

const indexInTypeScript = `import { definePlugin, type PluginContext } from "gantry";
import type { Config } from "./plugin.types.ts";
import { greet } from "./steps/greet.ts";

export default definePlugin({
  setup: ({ config }: PluginContext<Config>) => ({ steps: { greet: greet(config) } }),
});
`;

const indexInJavaScript = ({ types }: Facts) => `import { definePlugin } from "gantry";
import { greet } from "./steps/greet.js";

export default definePlugin({
  /** @param {import("gantry").PluginContext<import("./${types}").Config>} context */
  setup: ({ config }) => ({ steps: { greet: greet(config) } }),
});
`;

const body = (prefix: string, words: string) => `({
  async run({ who, times }, context) {
    if (who.trim() === "") throw new PluginError("${prefix}_NOBODY", "\`who\` is blank");
    ${words} = [];
    for (let count = 1; count <= times; count++) {
      // Aborted by a time limit, a cancel, or the stop of the host.
      context.signal.throwIfAborted();
      words.push(\`\${greeting} \${who}\`);
      context.progress({ percent: (count / times) * 100 });
    }
    context.log.info("greeted", { who });
    return { text: words.join(", ") };
  },
  // What \`gantry plan\` shows; it changes nothing.
  plan: ({ who, times }) => \`greets \${who} \${times} times\`,
});
`;

const stepInTypeScript = ({ prefix }: Facts) => `import { PluginError, type Step } from "gantry";
import type { Config, GreetInput, GreetOutput } from "../plugin.types.ts";

/** Greets somebody. Nothing outside the run changes, so it may be repeated. */
export const greet = ({ greeting }: Config): Step<GreetInput, GreetOutput> => ${body(prefix, "const words: string[]")}`;

const stepInJavaScript = ({ prefix, types }: Facts) => `import { PluginError } from "gantry";

/** @import { Step } from "gantry" */
/** @import { Config, GreetInput, GreetOutput } from "../${types}" */

/**
 * Greets somebody. Nothing outside the run changes, so it may be repeated.
 * @param {Config} config
 * @returns {Step<GreetInput, GreetOutput>}
 */
export const greet = ({ greeting }) => ${body(prefix, "/** @type {string[]} */\n    const words")}`;

const testText = (facts: Facts) => `${headOf(facts)}import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestHost } from "gantry/testing";

const greet = {
  inputs: { type: "object", required: ["who"], properties: { who: { type: "string" } } },
  steps: [{ id: "greeting", uses: "${facts.name}/greet", with: { who: "\${{ inputs.who }}" } }],
  outputs: "\${{ steps.greeting.outputs.text }}",
};

test("it greets whom it is told, and says with a code that there is nobody", async () => {
  await using host = await startTestHost({ plugins: [new URL("..", import.meta.url)], workflows: { greet } });
  const greeted = await host.run("greet", { who: "Ada" });
  assert.deepEqual([greeted.status, greeted.output], ["succeeded", "Hello Ada"]);
  const nobody = await host.run("greet", { who: " " });
  assert.equal(nobody.error?.code, "${facts.prefix}_NOBODY");
});

test("a step can be called alone", async () => {
  const plugin = { plugin: new URL("..", import.meta.url), config: { greeting: "Good day" } };
  await using host = await startTestHost({ plugins: [plugin] });
  const { output } = await host.step("${facts.name}/greet", { who: "Ada", times: 2 });
  assert.deepEqual(output, { text: "Good day Ada, Good day Ada" });
});
`;
