// Somebody accepts a new version of a plugin while the host works: what is under way in the old one ends there.

import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connectControl } from "../../host/control/client.ts";
import type { Run } from "../../host/store/store.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { gantry } from "../commands/gantry.ts";
import { type HostFolder, HostProcess, makeHostFolder } from "../support/host-process.ts";

let root: string;
let folder: HostFolder;
let host: HostProcess;

/** Says that it has begun, and ends when there is a file `go`, both in its own folder. */
const code = (version: string) => `import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
export default { setup: ({ directory }) => ({ steps: { shine: { async run({ colour = "white" }) {
  appendFileSync(join(directory, "begun"), "${version}\\n");
  while (!existsSync(join(directory, "go"))) await sleep(5);
  return { version: "${version}", colour };
} } } }) };
`;
const manifest = (version: string, properties: object) => ({
  name: "lamp",
  version,
  host: "^1.0.0",
  main: "index.js",
  steps: {
    shine: {
      description: "Shines.",
      input: { type: "object", additionalProperties: false, properties },
      output: { type: "object" },
    },
  },
});
const colour = { type: "string", default: "red" };

async function writeLamp(version: string, properties: object): Promise<void> {
  await writeFile(join(root, "lamp/plugin.json"), JSON.stringify(manifest(version, properties)));
  await writeFile(join(root, "lamp/index.js"), code(version));
}

before(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "gantry-accepted-")));
  await mkdir(join(root, "lamp"));
  await writeFile(join(root, "lamp/package.json"), JSON.stringify({ type: "module" }));
  await writeLamp("1.0.0", {});
  const shine = { name: "shine", steps: [{ id: "lamp", uses: "lamp/shine" }], outputs: "${{ steps.lamp.outputs }}" };
  const configuration = { workflows: ["./workflows"], plugins: [{ plugin: "./lamp" }] };
  folder = await makeHostFolder(root, configuration, { shine });
  host = new HostProcess(folder);
  await host.ready();
});
after(async () => {
  await host.kill();
  await rm(root, { recursive: true });
});

const accept = () => gantry("plugin", "accept", "lamp", "--config", folder.config, "--data", folder.data, "--json");

test("a new version is accepted by a running host: its step takes what the old one did not, and no run fails", async () => {
  using client = (await connectControl(folder.data))!;
  const begin = () => client.call<{ runId: string }>("runs.start", { workflow: "shine" });
  const ended = (run: string) => client.call<Run>("runs.wait", { run }, { patient: true });
  const own = (name: string) => join(folder.data, "plugins/lamp", name);
  const begun = await Promise.all(Array.from({ length: 10 }, begin));
  const count = async () => (await readFile(own("begun"), "utf8").catch(() => "")).split("\n").length - 1;
  await waitFor("all to be under way", async () => (await count()) === 10);

  await writeLamp("1.1.0", { colour });
  const accepted = accept();
  await writeFile(own("go"), "");
  assert.equal((await accepted).code, 0, (await accepted).stderr);
  assert.equal((JSON.parse((await accepted).stdout) as { state: string }).state, "active");
  for (const { runId } of begun) assert.deepEqual((await ended(runId)).output, { version: "1.0.0", colour: "white" });
  // None was begun again.
  assert.equal(await count(), 10);
  const after = await ended((await begin()).runId);
  assert.deepEqual(after.output, { version: "1.1.0", colour: "red" });
});

test("a version that does not keep the contract is accepted and does not work; the host does", async () => {
  await appendFile(join(root, "lamp/index.js"), "throw new Error('no light');\n");
  const { code: exitCode, stdout } = await accept();
  assert.deepEqual([exitCode, (JSON.parse(stdout) as { state: string }).state], [1, "failed"]);
  const { stdout: list } = await gantry("plugin", "list", "--data", folder.data);
  assert.match(list, /lamp .* failed .*no light, at .*index\.js:9:7/);
});
