// A plugin is replaced while runs of it wait: they go on with the new one where it takes what they began with, and fail
// with a code and their clean-up where it does not.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openStoreForReading } from "../../host/store/open.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { gantry } from "../commands/gantry.ts";
import { HostProcess, makeHostFolder } from "../support/host-process.ts";

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
  const root = await mkdtemp(join(tmpdir(), "gantry-replaced-"));
  const lamp = join(root, "lamp");
  const write = async (version: string, input: object) => {
    await writeFile(join(lamp, "plugin.json"), JSON.stringify(manifest(input)));
    await writeFile(join(lamp, "index.js"), code(version));
  };
  await mkdir(lamp);
  await writeFile(join(lamp, "package.json"), JSON.stringify({ type: "module" }));
  await write("old", { colour: text });
  const folder = await makeHostFolder(
    root,
    { workflows: ["./workflows"], plugins: [{ plugin: "./lamp" }, { plugin: "files" }] },
    { plain: patient("plain", {}), coloured: patient("coloured", { colour: "red" }) },
  );
  const runOf = (workflow: string) => {
    const reader = openStoreForReading(folder.data);
    const [run] = reader.runs.list({ workflow }).filter(({ status }) => status !== "rejected");
    reader.close();
    return run;
  };
  const both = (holds: (run: ReturnType<typeof runOf>) => boolean) => () =>
    ["plain", "coloured"].every((workflow) => holds(runOf(workflow)));
  let host = new HostProcess(folder);
  try {
    await host.ready();
    await waitFor(
      "the waits",
      both((run) => run?.status === "waiting"),
    );
    await host.stop();

    // The new one knows no colours.
    await write("new", {});
    host = new HostProcess(folder);
    await host.ready();
    const accepted = await gantry("plugin", "accept", "lamp", "--config", folder.config, "--data", folder.data);
    assert.deepEqual([accepted.code, accepted.stderr], [0, ""]);
    const said = await gantry("signal", "go", "--data", folder.data);
    assert.equal(said.code, 0, said.stderr);
    await waitFor(
      "the ends",
      both((run) => run?.endedAt != null),
    );
    assert.deepEqual([runOf("plain")!.status, runOf("plain")!.output], ["succeeded", { before: "old", after: "new" }]);
    assert.equal(runOf("coloured")!.status, "failed");
    assert.equal(runOf("coloured")!.error!.code, "INPUT_INVALID");
    assert.equal(await readFile(join(folder.data, "coloured"), "utf8"), "INPUT_INVALID");
  } finally {
    await host.stop();
    await rm(root, { recursive: true });
  }
});
