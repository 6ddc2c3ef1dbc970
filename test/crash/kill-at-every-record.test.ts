// The shipped installation workflow, killed after each record of its journal: it must end as an undisturbed one does,
// without running again what had finished. Effects are counted where they happen: at the HTTP server, in a file the
// install script writes, and on the wire.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import mqtt from "mqtt";
import { type Mosquitto, startMosquitto } from "../../host/testing/mosquitto.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { type ArtifactServer, serveArtifacts, sha256 } from "../support/artifact-server.ts";
import { type HostFolder, HostProcess, makeHostFolder } from "../support/host-process.ts";
import { needs } from "../support/parts.ts";

interface JournalRow {
  kind: string;
  path: string;
}

interface Outcome {
  status: string;
  journal: JournalRow[];
  reports: string[];
  scriptRuns: number;
  requests: Map<string, number>;
}

const skip = needs("mosquitto");
const workflows = fileURLToPath(new URL("../../workflows", import.meta.url));
const killer = fileURLToPath(new URL("./killer.ts", import.meta.url));
let root: string;
let broker: Mosquitto;

before(async () => {
  if (skip) return;
  root = await mkdtemp(join(tmpdir(), "gantry-kill-"));
  broker = await startMosquitto();
});

after(async () => {
  if (skip) return;
  await broker.stop();
  await rm(root, { recursive: true });
});

test("killed after any record, an installation ends as an undisturbed one", { skip, timeout: 900_000 }, async (t) => {
  const undisturbed = await install("undisturbed", undefined);
  assert.equal(undisturbed.status, "succeeded");
  assert.equal(undisturbed.scriptRuns, 1);
  assert.deepEqual(undisturbed.reports, ["STARTED", "DOWNLOADED firmware.bin", "DOWNLOADED install.sh", "SUCCEEDED"]);
  assert.ok(undisturbed.journal.length > 15, "the workflow has become too short to be worth killing");

  for (let records = 1; records <= undisturbed.journal.length; records++) {
    await t.test(`after record ${records} (${describe(undisturbed.journal[records - 1]!)})`, async () => {
      const killed = await install(`kill-${records}`, records);
      assert.equal(killed.status, "succeeded");
      assert.deepEqual(finished(killed.journal), finished(undisturbed.journal));
      assert.deepEqual(withoutRepeats(killed.reports), undisturbed.reports);
      // A step is repeated only if the kill left it without a result; whatever else was repeated shows as a surplus.
      const repeated = killed.journal.filter(({ kind }) => kind === "resumed").map(({ path }) => path);
      assert.ok(repeated.length <= 1, `repeated: ${repeated}`);
      assert.ok(
        killed.scriptRuns === 1 || (killed.scriptRuns === 2 && repeated.includes("steps/2")),
        `script ran ${killed.scriptRuns} times`,
      );
      for (const [index, name] of ["firmware.bin", "install.sh"].entries()) {
        const asked = killed.requests.get(name);
        const repeatable = repeated.includes(`steps/1/items/${index}/steps/0`);
        assert.ok(asked === 1 || (asked === 2 && repeatable), `${name} was fetched ${asked} times`);
      }
    });
  }
});

async function install(name: string, killAfter: number | undefined): Promise<Outcome> {
  const directory = join(root, name);
  const effects = join(directory, "effects");
  const script = `echo ran >> '${effects}'\nsleep 0.05\n`;
  const files = { "firmware.bin": Buffer.alloc(200_000, 7), "install.sh": script };
  await using server = await serveArtifacts(files);
  const folder = await makeHostFolder(directory, {
    workflows: [workflows],
    plugins: [
      { plugin: "mqtt", config: { broker: broker.url } },
      { plugin: "download" },
      { plugin: "verify" },
      { plugin: "script" },
    ],
  });
  const client = await mqtt.connectAsync(broker.url);
  try {
    const reports: string[] = [];
    client.on("message", (_, payload) => reports.push(reportOf(JSON.parse(payload.toString()))));
    await client.subscribeAsync(`gantry/install/${name}/status`, { qos: 1 });
    let host = await started(folder);
    await subscribed(host);
    if (killAfter !== undefined) {
      const hunter = spawn(
        process.execPath,
        [killer, join(folder.data, "gantry.db"), String(host.pid), String(killAfter)],
        { stdio: "inherit" },
      );
      const hunted = once(hunter, "exit");
      await client.publishAsync("gantry/install", order(name, server, files), { qos: 1 });
      await host.gone();
      await hunted;
      host = await started(folder);
    } else {
      await client.publishAsync("gantry/install", order(name, server, files), { qos: 1 });
    }
    const status = await waitFor(`the end of ${name}\n${host.log}`, () => statusOf(folder));
    await waitFor("the last report", () => reports.at(-1) === "SUCCEEDED" || reports.at(-1) === "FAILED");
    assert.equal(await host.stop(), 0);
    const ran = (await readFile(effects, "utf8")).trim().split("\n");
    return { status, journal: journalOf(folder), reports, scriptRuns: ran.length, requests: new Map(server.requests) };
  } finally {
    await client.endAsync();
  }
}

async function started(folder: HostFolder): Promise<HostProcess> {
  const host = new HostProcess(folder);
  await host.ready();
  return host;
}

/** The order must find its subscription: the first host of a folder has no session at the broker yet. */
async function subscribed(host: HostProcess): Promise<void> {
  await waitFor("the subscription", () => /subscribed/.test(host.log));
}

function order(id: string, server: ArtifactServer, files: Record<string, string | Buffer>): string {
  const artifacts = Object.entries(files).map(([filename, content]) => ({
    url: `${server.url}/${filename}`,
    filename,
    sha256: sha256(content),
  }));
  return JSON.stringify({ id, artifacts });
}

function reportOf(report: { status: string; filename?: string }): string {
  return report.filename === undefined ? report.status : `${report.status} ${report.filename}`;
}

function query<Row>(folder: HostFolder, sql: string): Row[] {
  const database = new DatabaseSync(join(folder.data, "gantry.db"), { readOnly: true });
  try {
    return database.prepare(sql).all() as Row[];
  } finally {
    database.close();
  }
}

function statusOf(folder: HostFolder): string | undefined {
  const runs = query<{ status: string; ended_at: number | null }>(folder, "SELECT status, ended_at FROM runs");
  assert.ok(runs.length <= 1, "one message became several runs");
  return runs[0]?.ended_at == null ? undefined : runs[0].status;
}

const journalOf = (folder: HostFolder) =>
  query<JournalRow>(folder, "SELECT kind, path FROM journal ORDER BY run_number, sequence");
const describe = ({ kind, path }: JournalRow) => `${kind} ${path}`.trim();

/** What ended, in which order; each place once. */
function finished(journal: JournalRow[]): string[] {
  const ends = journal.filter(({ kind }) => ["succeeded", "failed", "skipped", "ended"].includes(kind)).map(describe);
  assert.equal(new Set(ends).size, ends.length, "a place ended twice");
  return ends;
}

// The outbox sends again what was on its way when the host died: at least once, in order.
function withoutRepeats(reports: string[]): string[] {
  return reports.filter((report, index) => report !== reports[index - 1]);
}
