// A plugin is replaced while runs of it wait: they go on with the new one where it takes what they began with, and fail
// with a code and their clean-up where it does not.

import assert from "node:assert/strict";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startTestHost, waitFor } from "gantry/testing";
import { gantry } from "../commands/gantry.ts";

const text = { type: "string" };
const closed = (properties: object) => ({ type: "object", additionalProperties: false, properties });

/** Its one step tells which version it is. */
const manifest = (input: object) => ({
  name: "lamp",
  version: "1.0.0",
  host: "^1.0.0",
  main: "index.js",
  steps: { name: { description: "Says which lamp this is.", input: closed(input), output: closed({ version: text }) } },
});
const code = (version: string) =>
  `export default { setup: () => ({ steps: { name: { run: async () => ({ version: "${version}" }) } } }) };\n`;

const patient = (name: string, input: object) => ({
  name,
  on: [{ trigger: "host/startup" }],
  concurrency: { group: name, whenBusy: "reject" },
  steps: [
    { id: "before", uses: "lamp/name" },
    { uses: "host/wait", with: { for: "go" } },
    { id: "after", uses: "lamp/name", with: input },
  ],
  onFailure: [
    { uses: "files/write", with: { path: `\${{ run.directory }}/../../${name}`, content: "${{ error.code }}" } },
  ],
  outputs: { before: "${{ steps.before.outputs.version }}", after: "${{ steps.after.outputs.version }}" },
});

test("runs that wait while their plugin is replaced end with the new one, or with a code and their clean-up", {
  timeout: 60_000,
}, async () => {
  const lamp = await realpath(await mkdtemp(join(tmpdir(), "gantry-replaced-")));
  const write = async (version: string, input: object) => {
    await writeFile(join(lamp, "plugin.json"), JSON.stringify(manifest(input)));
    await writeFile(join(lamp, "index.js"), code(version));
  };
  await writeFile(join(lamp, "package.json"), JSON.stringify({ type: "module" }));
  await write("old", { colour: text });
  const workflows = { plain: patient("plain", {}), coloured: patient("coloured", { colour: "red" }) };
  const names = Object.keys(workflows);
  try {
    // The plugin is off until it is accepted.
    await using host = await startTestHost({ plugins: [lamp, "files"], workflows, process: true, faulty: true });
    await waitFor("the waits", () => names.every((name) => host.runs(name)[0]?.status === "waiting"));
    await host.stop();

    // The new one knows no colours.
    await write("new", {});
    await host.resume();
    const config = join(host.directory, "plugins.json");
    const accepted = await gantry("plugin", "accept", "lamp", "--config", config, "--data", host.data);
    assert.deepEqual([accepted.code, accepted.stderr], [0, ""]);
    assert.equal((await host.signal("go")).received, true);
    const [plain, coloured] = await Promise.all(names.map((name) => host.ended(host.runs(name)[0]!.id)));
    assert.deepEqual([plain!.status, plain!.output], ["succeeded", { before: "old", after: "new" }]);
    assert.deepEqual([coloured!.status, coloured!.error?.code], ["failed", "INPUT_INVALID"]);
    assert.equal(await readFile(join(host.data, "coloured"), "utf8"), "INPUT_INVALID");
  } finally {
    await rm(lamp, { recursive: true });
  }
});
