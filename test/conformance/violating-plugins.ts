// Plugins in JavaScript, made for one test: a good one, and what it is turned into.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gantry } from "../commands/gantry.ts";

export interface MadeStep {
  /** The body of `run(input, context)`. */
  run: string;
  /** Further members of the step, as code. */
  more?: string;
  /** Of its manifest, beside the description. */
  manifest?: object;
}

export interface MadePlugin {
  steps: Record<string, MadeStep>;
  /** Of plugin.json. */
  manifest?: object;
  /** Before the plugin's definition. */
  top?: string;
  /** At the beginning of setup. */
  setup?: string;
  readme?: string;
  /** Default: made. */
  name?: string;
  /** Further contributions, as code. */
  more?: string;
}

const directoryInput = {
  type: "object",
  additionalProperties: false,
  properties: { directory: { type: "string" } },
};

/** An example that is in its own folder. */
export const inFolder = { description: "it is called", with: { directory: "${{ inputs.directory }}" } };

export function makePlugin({
  steps,
  manifest = {},
  top = "",
  setup = "",
  readme,
  name: own = "made",
  more: contributions = "",
}: MadePlugin) {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-violating-")));
  const folder = join(directory, own);
  mkdirSync(folder);
  const declared = Object.entries(steps).map(([name, step]) => [
    name,
    { description: `It ${name}s.`, input: directoryInput, examples: [inFolder], ...step.manifest },
  ]);
  const write = (name: string, content: string | object) =>
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content, null, 2));
  write("plugin.json", {
    name: own,
    version: "1.0.0",
    host: "^1.0.0",
    main: "index.js",
    steps: Object.fromEntries(declared),
    ...manifest,
  });
  write("package.json", { type: "module" });
  const members = Object.entries(steps).map(
    ([name, { run, more = "" }]) => `${name}: { async run(input, context) { ${run} }, ${more} },`,
  );
  write(
    "index.js",
    `import * as fs from "node:fs";
import { definePlugin } from "gantry";
${top}
export default definePlugin({ async setup(context) { ${setup} return { steps: { ${members.join("\n")} }, ${contributions} }; } });
`,
  );
  const sections = Object.keys(steps).map(
    (name) => `## ${own}/${name}\n\n**Repeating it** is safe: it does nothing.\n`,
  );
  write("README.md", readme ?? `# ${own}\n\n${sections.join("\n")}`);
  return { folder, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

export interface Told {
  check: string;
  outcome: string;
  about: string;
  carrier?: string;
  message?: string;
  code?: string;
  remedy?: string;
}

/** `gantry plugin test --json`. */
export async function testFolder(folder: string, ...options: string[]) {
  const { code, stdout, stderr } = await gantry("plugin", "test", folder, "--json", ...options);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Told);
  const counts = lines.pop() as unknown as { passed: number; failed: number; notExercised: number };
  const found = (outcome: string) => lines.filter((line) => line.outcome === outcome);
  return { code, stderr, lines, counts, failed: found("failed"), notExercised: found("not exercised") };
}
