// TypeScript types from the JSON Schemas of a manifest, as somebody outside gets them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { layOut } from "../../host/scaffold/layout.ts";
import { typesOfPlugin } from "../../host/scaffold/plugin-types.ts";
import { Project } from "./project.ts";

let project: Project;
before(() => {
  project = new Project();
});
after(() => project[Symbol.dispose]());

const text = { type: "string" };
const manifest = {
  name: "lamp",
  version: "1.0.0",
  host: "^1.0.0",
  main: "index.ts",
  config: {
    type: "object",
    additionalProperties: false,
    properties: { device: { ...text, default: "/dev/lamp0", description: "Where it is." }, label: text },
  },
  steps: {
    "switch-on": {
      description: "Switches it on.",
      input: {
        type: "object",
        required: ["mode"],
        additionalProperties: false,
        properties: {
          mode: { enum: ["on {", "off"] },
          steps: { type: "array", items: { type: "object", properties: { at: { type: "number" } } } },
          either: { oneOf: [text, { type: "object", properties: { red: { type: "integer" } } }] },
        },
      },
    },
  },
  triggers: {
    pressed: {
      description: "Pressed.",
      with: { type: "object", properties: { button: { ...text, default: "main" } } },
      input: { type: "object", properties: { long: { type: "boolean", default: false } } },
    },
  },
  provides: {
    lamp: {
      description: "The lamp.",
      methods: {
        press: { description: "Presses.", input: { type: "object", properties: { button: text } } },
        state: {},
      },
      streams: { presses: { item: { type: "object", required: ["button"], properties: { button: text } } } },
    },
  },
};

test("each schema gives the type of its name; what the host fills in is always there", async () => {
  assert.equal(
    await typesOfPlugin(manifest as never),
    `import type { Stop } from "gantry";

export interface Config {
  /**
   * Where it is.
   */
  device: string;
  label?: string;
}

export interface SwitchOnInput {
  mode: "on {" | "off";
  steps?: {
    at?: number;
  }[];
  either?: (string | {
    red?: number;
  });
}

export interface SwitchOnOutput {}

export interface PressedOptions {
  button: string;
}

export interface PressedEmitted {
  long?: boolean;
}

export interface LampPressInput {
  button?: string;
}

export interface LampPressesItem {
  button: string;
}

/** The lamp. */
export type LampService = {
  /** Presses. */
  press(input: LampPressInput): Promise<unknown>;
  state(): Promise<unknown>;
  presses(options: object, listener: (item: LampPressesItem) => Promise<void>): Promise<Stop>;
};
`,
  );
});

test("the layout leaves the words of comments and texts alone", () => {
  const given = 'export interface A {\n/**\n * a { brace\n */\na: ("(" | "}")\n}\n';
  assert.equal(layOut(given), 'export interface A {\n  /**\n   * a { brace\n   */\n  a: "(" | "}";\n}\n');
});

test("the command writes them beside the manifest, and says with --check whether they are current", async () => {
  project.write("lamp/plugin.json", manifest);
  project.write("lamp/index.ts", "");
  const missing = await project.gantry("plugin", "types", "lamp", "--check");
  assert.deepEqual([missing.code, missing.stdout], [1, ""]);
  assert.match(missing.stderr, /lamp\/plugin\.types\.ts is not up to date/);
  const written = await project.gantry("plugin", "types", "lamp");
  assert.deepEqual([written.code, written.stdout], [0, "lamp/plugin.types.ts is written\n"]);
  assert.match(
    readFileSync(join(project.folder, "lamp/plugin.types.ts"), "utf8"),
    /^\/\/ Written by `gantry plugin types`/,
  );
  assert.equal((await project.gantry("plugin", "types", "lamp", "--check")).code, 0);
});

const broken: [what: string, code: string, folder: string, content?: object][] = [
  ["a folder that is not there", "PLUGIN_MANIFEST_BROKEN", "nowhere"],
  ["a manifest with faults", "PLUGIN_MANIFEST_BROKEN", "faulty", { ...manifest, steps: { on: {} } }],
  [
    "a schema that nothing can match",
    "PLUGIN_TYPES_FAILED",
    "impossible",
    { ...manifest, config: { type: "object", properties: { a: { type: "array", minItems: 3, maxItems: 1 } } } },
  ],
];
for (const [what, code, folder, content] of broken)
  test(`${what} is refused with a code`, async () => {
    if (content !== undefined) {
      project.write(`${folder}/plugin.json`, content);
      project.write(`${folder}/index.ts`, "");
    }
    const { code: exitCode, stdout, stderr } = await project.gantry("plugin", "types", folder);
    assert.deepEqual([exitCode, stdout], [1, ""]);
    assert.match(stderr, new RegExp(`\\(${code}\\)\\n.{20,}`));
  });
