// Every example in README.md and docs/ is what it says: workflows are checked and run, the plugin of the README is
// loaded and used, and every configuration and manifest is checked.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkConfiguration } from "../../host/documents/check-configuration.ts";
import { parseDocument } from "../../host/documents/document.ts";
import { type Host, startHost } from "../../host/host.ts";
import { loadWorkflow } from "../../host/loading/load-workflow.ts";
import { type HostDocuments, readHost } from "../../host/loading/read-host.ts";
import { createLog } from "../../host/log.ts";
import type { Json } from "../../host/sdk.ts";
import { deedsBelow } from "./tutorial.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

interface Example {
  page: string;
  language: string;
  text: string;
}

const examples: Example[] = pages.flatMap((page) => {
  const blocks = readFileSync(join(root, page), "utf8").matchAll(/^```(json|ts)\n(.*?)^```$/gms);
  return [...blocks].map(([, language, text]) => ({ page, language: language!, text: text! }));
});
const asJson = examples
  .filter(({ language }) => language === "json")
  .map((example) => ({ ...example, value: JSON.parse(example.text) }));
// What its reader does with the plugin it makes is done in tutorial.test.ts.
const tutorial = deedsBelow(join(root, "docs/plugins.md"), "## From nothing to a working step");
const isOfTutorial = (text: string) => tutorial.some((deed) => deed.kind === "file" && deed.text === text);
// file-upload.test.ts does what docs/file-upload.md says, with a server to send to.
const isElsewhere = ({ page, text }: Example) => page === "docs/file-upload.md" || isOfTutorial(text);
const workflows = asJson.filter((example) => Array.isArray(example.value.steps) && !isElsewhere(example));
const configurations = asJson.filter(({ value }) => Array.isArray(value.plugins));

/** Inputs for those that need some; and the one that is there to fail. */
const inputs: Record<string, Json> = {
  greet: { who: "Ada" },
  "on-message": { item: "bolt" },
  "set-lamp": { colour: "red" },
  "say-to": { who: "you" },
};
const failsWith: Record<string, string> = { failing: "SCRIPT_FAILED", "taking-back": "TOO_WARM" };

let folder: string;
let documents: HostDocuments;
let host: Host;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "gantry-docs-"));
  const lamp = join(folder, "plugins/lamp");
  mkdirSync(lamp, { recursive: true });
  const readme = examples.filter(({ page }) => page === "README.md");
  writeFileSync(join(lamp, "plugin.json"), readme.find(({ text }) => text.includes('"name": "lamp"'))!.text);
  writeFileSync(
    join(lamp, "index.ts"),
    readme.find(({ language, text }) => language === "ts" && text.includes("definePlugin"))!.text,
  );
  const plugins = [
    { plugin: "mqtt", config: { broker: "embedded", port: 0 } },
    { plugin: "script" },
    { plugin: "download" },
    { plugin: "things" },
    { plugin: "./plugins/lamp" },
  ];
  writeFileSync(join(folder, "plugins.json"), JSON.stringify({ plugins }));
  documents = readHost(join(folder, "plugins.json"));
  host = await startHost({
    documents,
    dataDirectory: join(folder, "data"),
    log: createLog({ level: "silent" }),
    serve: false,
  });
});

after(async () => {
  await host.stop();
  rmSync(folder, { recursive: true });
});

async function run(text: string, input: Json = {}) {
  const file = join(folder, "workflow.json");
  writeFileSync(file, text);
  // Those that one example calls are others.
  for (const { value, text: other } of workflows) writeFileSync(join(folder, `example-${value.name}.json`), other);
  const { workflow, faults } = loadWorkflow(file, documents.catalogue, { named: true });
  assert.deepEqual(faults, []);
  const { runId } = await host.engine.accept(workflow!, { input, event: { topic: "a/topic" } });
  return host.engine.waitFor(runId);
}

test("there are examples to hold", () => {
  assert.ok(workflows.length >= 7, `only ${workflows.length} workflows`);
  assert.ok(configurations.length >= 1);
});

for (const { page, text, value } of workflows) {
  test(`${page}: the workflow ${value.name} is sound and runs`, async () => {
    const ended = await run(text, inputs[value.name]);
    assert.equal(ended.error?.code, failsWith[value.name], ended.error?.message ?? "");
    assert.equal(ended.status, failsWith[value.name] === undefined ? "succeeded" : "failed");
  });
}

test("README.md: the first plugin's step blinks", async () => {
  const ended = await run(
    '{ "name": "b", "steps": [{ "id": "b", "uses": "lamp/blink", "with": { "times": 3 } }], "outputs": "${{ steps.b.outputs.blinked }}" }',
  );
  assert.equal(ended.output, 3);
});

for (const { page, text } of configurations) {
  test(`${page}: the configuration ${text.slice(0, 40).replaceAll(/\s+/g, " ")} is sound`, () => {
    const { document, faults } = parseDocument("plugins.json", text);
    assert.deepEqual([...faults, ...checkConfiguration(document!)], []);
  });
}

test("links between the pages lead somewhere", () => {
  for (const page of [...pages, "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]) {
    for (const [, target] of readFileSync(join(root, page), "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g))
      assert.ok(existsSync(join(root, dirname(page), target!)), `${page} links to ${target}`);
  }
});
