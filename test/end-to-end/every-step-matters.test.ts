// The shipped workflow is made of steps worth moving: each one deleted, repeated or moved changes what can be seen from
// outside (the reports on the wire, what the server is asked for, what the script did), or is refused with a fault.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startHost } from "../../host/host.ts";
import { readHost } from "../../host/loading/read-host.ts";
import { createLog } from "../../host/log.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import type { Mqtt } from "../../plugins/mqtt/service.ts";
import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";
import { type ArtifactServer, serveArtifacts, sha256 } from "../support/artifact-server.ts";

const shipped = JSON.parse(
  readFileSync(fileURLToPath(new URL("../../workflows/install-artifact.json", import.meta.url)), "utf8"),
) as Workflow;

const script = "echo ran >> effects; cat data.bin\n";
const files = { "data.bin": "data", "install.sh": script, "failing.sh": "echo failed >> effects; exit 3\n" };

/** What is asked for; `tampering`: a file is changed on disk between its download and its verification. */
const scenarios = {
  good: { script: "install.sh", tampering: false },
  failing: { script: "failing.sh", tampering: false },
  tampered: { script: "install.sh", tampering: true },
};

let root: string;
let count = 0;

before(() => {
  root = mkdtempSync(join(tmpdir(), "gantry-steps-"));
});
after(() => rmSync(root, { recursive: true }));

/** Everything an observer sees of all scenarios. */
async function observe(document: Workflow): Promise<unknown> {
  const seen: Record<string, unknown> = {};
  for (const [name, { script: entry, tampering }] of Object.entries(scenarios))
    seen[name] = await observeOne(tampering ? tamperedWith(document) : document, entry);
  return seen;
}

async function observeOne(document: Workflow, entry: string): Promise<unknown> {
  const folder = join(root, String(++count));
  await mkdir(join(folder, "workflows"), { recursive: true });
  await writeFile(join(folder, "workflows", "it.json"), JSON.stringify(document));
  const plugins = ["download", "verify", "script"].map((plugin) => ({ plugin }));
  const mqttPlugin = { plugin: "mqtt", config: { broker: "embedded", port: 0 } };
  await writeFile(
    join(folder, "plugins.json"),
    JSON.stringify({ workflows: ["./workflows"], plugins: [mqttPlugin, ...plugins] }),
  );
  const documents = readHost(join(folder, "plugins.json"));
  const faults = documents.faults.filter(({ severity }) => severity === "fault");
  if (faults.length > 0) return { refused: faults.map(({ code }) => code) };
  await using server = await serveArtifacts(files);
  const log = createLog({ level: "silent" });
  const host = await startHost({ documents, dataDirectory: join(folder, "data"), log });
  try {
    const reports: unknown[] = [];
    const mqtt = host.plugins.services.mqtt as unknown as Mqtt;
    await mqtt.subscribe({ topic: "gantry/install/it/status", temporary: true }, async ({ payload }) => {
      const { run: _, message: __, ...report } = JSON.parse(payload!) as Record<string, unknown>;
      reports.push(report);
    });
    const ended = new Promise<string>((resolve) =>
      host.engine.on("run", ({ id, status }) => {
        if (!["queued", "running", "waiting", "undoing"].includes(status)) resolve(id);
      }),
    );
    await mqtt.publish({ topic: "gantry/install", payload: order(server, entry) });
    const run = await host.engine.waitFor(await ended);
    // The outbox drains in order, so what is said last has come when this has.
    let drained = false;
    await mqtt.subscribe({ topic: "gantry/drained", temporary: true }, async () => {
      drained = true;
    });
    await waitFor("the reports", () => reports.length > 0 || !JSON.stringify(document).includes("mqtt/publish"));
    await mqtt.publish({ topic: "gantry/drained", payload: 1 });
    await waitFor("the end of the reports", () => drained);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const effects = read(join(folder, "data", "runs", run.id, "effects"));
    return {
      status: run.status,
      code: run.error?.code,
      output: run.output,
      reports,
      effects,
      asked: [...server.requests],
    };
  } finally {
    await host.stop();
  }
}

function order(server: ArtifactServer, entry: string) {
  const artifacts = ["data.bin", entry].map((filename) => ({
    url: `${server.url}/${filename}`,
    filename,
    sha256: sha256(files[filename as keyof typeof files]),
  }));
  return { id: "it", script: entry, artifacts };
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Right before each verification, or else at the end of the downloads, the file is changed on disk. */
function tamperedWith(document: Workflow): Workflow {
  const changed = structuredClone(document);
  const loop = changed.steps.find(({ forEach }) => forEach !== undefined);
  const tamper: WorkflowStep = {
    uses: "script/run",
    with: {
      command: ["/bin/sh", "-c", "if [ -e data.bin ]; then printf evil > data.bin; fi"],
      directory: "${{ run.directory }}",
    },
  };
  const at = loop?.steps?.findIndex(({ uses }) => uses === "verify/checksum") ?? -1;
  loop?.steps?.splice(at < 0 ? loop.steps.length : at, 0, tamper);
  return changed;
}

interface Place {
  name: string;
  /** The list that holds the step, in a copy of the document. */
  listOf(document: Workflow): WorkflowStep[];
  index: number;
  length: number;
}

function places(): Place[] {
  const found: Place[] = [];
  const add = (where: string, list: WorkflowStep[], listOf: Place["listOf"]) => {
    for (const [index, step] of list.entries()) {
      const name = `${where}/${index} (${step.id ?? step.uses ?? "forEach"})`;
      found.push({ name, listOf, index, length: list.length });
      if (step.steps !== undefined) add(`${where}/${index}/steps`, step.steps, (copy) => listOf(copy)[index]!.steps!);
    }
  };
  add("steps", shipped.steps, (copy) => copy.steps);
  add("onFailure", shipped.onFailure ?? [], (copy) => copy.onFailure!);
  return found;
}

const edits = {
  deleted: (list: WorkflowStep[], index: number) => list.splice(index, 1),
  repeated: (list: WorkflowStep[], index: number) => {
    const { id: _, ...again } = structuredClone(list[index]!);
    list.splice(index + 1, 0, again);
  },
  moved: (list: WorkflowStep[], index: number) => {
    const [step] = list.splice(index, 1);
    list.splice(index === list.length ? index - 1 : index + 1, 0, step!);
  },
};

/** A file that is there and right is not fetched again, and one that was good a moment ago still is. */
const harmlessTwice = ["fetch", "verify/checksum"];

let asShipped: Promise<unknown> | undefined;

for (const place of places())
  for (const [edit, apply] of Object.entries(edits)) {
    if (edit === "moved" && place.length === 1) continue;
    test(`${place.name}, ${edit}, changes what is seen`, { timeout: 60_000 }, async () => {
      asShipped ??= observe(shipped);
      const expected = await asShipped;
      const copy = structuredClone(shipped);
      apply(place.listOf(copy), place.index);
      const seen = await observe(copy);
      if (edit === "repeated" && harmlessTwice.some((name) => place.name.includes(`(${name})`)))
        assert.deepEqual(seen, expected, "repeating it is said to be safe");
      else assert.notDeepEqual(seen, expected);
    });
  }

test("as shipped, each scenario shows what it is for", async () => {
  asShipped ??= observe(shipped);
  const { good, failing, tampered } = (await asShipped) as Record<
    string,
    { status: string; code?: string; effects: string }
  >;
  assert.deepEqual([good!.status, good!.effects], ["succeeded", "ran\n"]);
  assert.deepEqual([failing!.status, failing!.effects], ["failed", "failed\n"]);
  assert.deepEqual([tampered!.status, tampered!.effects], ["failed", ""]);
  assert.notEqual(failing!.code, tampered!.code);
});
