// Plays a scenario to its end on real hosts, killing each of them where the test says, and tells what came of it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { connectControl } from "../../host/control/client.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { type HostFolder, HostProcess, makeHostFolder } from "../support/host-process.ts";
import type { Act, Scenario } from "./scenarios.ts";

export interface JournalRow {
  kind: string;
  path: string;
  data: string;
  /** When it was written (epoch milliseconds); what one commit brings has one time. */
  at: number;
}

export interface Outcome {
  status: string;
  code: string | undefined;
  output: unknown;
  journal: JournalRow[];
  /** How often each step acted. */
  effects: Map<string, number>;
  /** What came of the run that took its place, which must not begin before this one has ended. */
  newer: { status: string; beganAfter: boolean; acted: string[] } | undefined;
  /** The length of the journal at each death. */
  deaths: number[];
  /** Kills that came later than in the commit that brought their record. */
  late: number;
}

const killer = fileURLToPath(new URL("./killer.ts", import.meta.url));
const cache = join(tmpdir(), "gantry-crash-compile-cache");

/** `kills`: the length of the journal at which each life after the other ends. */
export async function play(scenario: Scenario, kills: number[]): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), "gantry-matrix-"));
  const effects = join(directory, "effects");
  const act: Act = (name, { code = 0, script = "", ...more } = {}) => ({
    uses: "script/run",
    with: {
      command: [
        "/bin/sh",
        "-c",
        `echo '\${{ run.id }} ${name}' >> '${effects}'; sleep 0.01; ${script}\nexit $(($? + ${code}))`,
      ],
      directory: "${{ run.directory }}",
    },
    ...more,
  });
  const documents = scenario.documents(act);
  const folder = await makeHostFolder(
    directory,
    { workflows: ["./workflows"], plugins: [{ plugin: "script" }] },
    Object.fromEntries(documents.map((document) => [document.name, document])),
  );
  const files = { boot: join(directory, "boot"), sysrq: join(directory, "sysrq"), trigger: join(directory, "trigger") };
  writeFileSync(files.boot, "boot-0");
  const deaths: number[] = [];
  let late = 0;
  const planned = [...kills];
  let living: HostProcess | undefined;
  try {
    for (let life = 0; ; life++) {
      // A device that was told to reboot before it died comes back with another boot id.
      if (existsSync(files.trigger) && readFileSync(files.trigger, "utf8").length > 0) {
        writeFileSync(files.boot, `boot-${life}`);
        writeFileSync(files.trigger, "");
      }
      const host = new HostProcess(folder, {
        NODE_COMPILE_CACHE: cache,
        GANTRY_BOOT_ID_FILE: files.boot,
        FILE_SYS_RQ: files.sysrq,
        FILE_SYS_RQ_TRIGGER: files.trigger,
        ...scenario.environment?.(life),
      });
      living = host;
      const wanted = planned.shift();
      const hunter = wanted === undefined ? undefined : hunt(folder, host.pid, wanted);
      const asksForReboot = () => existsSync(files.trigger) && readFileSync(files.trigger, "utf8").length > 0;
      const newer = scenario.newer === undefined ? undefined : startNewer(folder, host, scenario.newer);
      const waitsForLater = () => scenario.endsInSecondLife === true && life === 0 && statusOf(folder) === "waiting";
      await waitFor(
        `the end of ${scenario.name}, killed at ${kills}\n${host.log}`,
        () =>
          host.child.exitCode !== null ||
          host.child.signalCode !== null ||
          (isEnded(folder) && isNewerEnded(folder, scenario)) ||
          asksForReboot() ||
          waitsForLater(),
      );
      if (host.child.signalCode === "SIGKILL") {
        await Promise.all([hunter, newer]);
        const rows = journalOf(folder);
        deaths.push(rows.length);
        assert.ok(rows.length >= wanted!, "killed before the record that was meant");
        if (rows.at(-1)!.at !== rows[wanted! - 1]!.at) late += 1;
        continue;
      }
      assert.equal(host.child.exitCode, null, `the host ended by itself:\n${host.log}`);
      assert.ok(life > 0 || scenario.endsInSecondLife !== true || !isEnded(folder), "nothing held it back");
      if (!isEnded(folder)) {
        // The reboot, or the end of the first life, in its most sudden form.
        await host.kill();
        await hunter;
        continue;
      }
      if (hunter !== undefined) {
        // The run was faster than its killer, or the kill was meant for its last record.
        await host.kill();
        await hunter;
        deaths.push(journalOf(folder).length);
        if (planned.length > 0) continue;
      } else {
        // Where a late kill came after the end, this host has only just begun, and cannot hear of a stop yet.
        await host.ready();
        assert.equal(await host.stop(), 0);
      }
      return {
        ...endOf(folder),
        newer: scenario.newer === undefined ? undefined : await newerOf(folder, scenario.newer, effects),
        journal: journalOf(folder),
        effects: await countEffects(effects, firstRunOf(folder)),
        deaths,
        late,
      };
    }
  } finally {
    await living?.kill();
    await rm(directory, { recursive: true, maxRetries: 5 });
  }
}

/** Asks for the newer run as soon as the first one waits, unless an earlier life of the host has accepted it. */
async function startNewer(folder: HostFolder, host: HostProcess, workflow: string): Promise<void> {
  const isOver = () => host.child.exitCode !== null || host.child.signalCode !== null;
  const isAccepted = () => newerIn(folder, workflow) !== undefined;
  await waitFor(
    "the moment for the newer run",
    () => isOver() || isAccepted() || isEnded(folder) || statusOf(folder) === "waiting",
    60_000,
  );
  if (isOver() || isAccepted() || isEnded(folder)) return;
  // A host that is killed meanwhile takes no call, or answers no more.
  const connect = () => connectControl(folder.data).catch(() => undefined);
  const client = await waitFor("the control socket", async () => isOver() || (await connect()));
  if (client === true) return;
  await client.call("runs.start", { workflow }).catch(() => {});
  client[Symbol.dispose]();
}

/** Resolves when the killer is done: its victim is dead, by whomever. */
async function hunt(folder: HostFolder, pid: number, records: number): Promise<void> {
  const child = spawn(process.execPath, [killer, join(folder.data, "gantry.db"), String(pid), String(records)], {
    stdio: "ignore",
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
  });
  const gone = once(child, "exit");
  const watch = setInterval(() => {
    try {
      process.kill(pid, 0);
    } catch {
      child.kill("SIGKILL");
    }
  }, 20);
  await gone;
  clearInterval(watch);
}

function query<Row>(folder: HostFolder, sql: string): Row[] {
  const file = join(folder.data, "gantry.db");
  if (!existsSync(file)) return [];
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    return database.prepare(sql).all() as Row[];
  } catch (error) {
    if (/no such table/.test((error as Error).message)) return [];
    throw error;
  } finally {
    database.close();
  }
}

const first = "(SELECT min(number) FROM runs)";

function journalOf(folder: HostFolder): JournalRow[] {
  return query<JournalRow>(
    folder,
    `SELECT kind, path, data, at FROM journal WHERE run_number = ${first} ORDER BY sequence`,
  );
}

function statusOf(folder: HostFolder): string | undefined {
  return query<{ status: string }>(folder, `SELECT status FROM runs WHERE number = ${first}`)[0]?.status;
}

interface NewerRow {
  id: string;
  status: string;
  started_at: number | null;
  ended_at: number | null;
}

const newerIn = (folder: HostFolder, workflow: string) =>
  query<NewerRow>(folder, `SELECT id, status, started_at, ended_at FROM runs WHERE workflow = '${workflow}'`)[0];

const isNewerEnded = (folder: HostFolder, { newer }: Scenario) =>
  newer === undefined || newerIn(folder, newer)?.ended_at != null;

async function newerOf(folder: HostFolder, workflow: string, effects: string): Promise<Outcome["newer"]> {
  const { id, status, started_at: startedAt } = newerIn(folder, workflow)!;
  const [run] = query<{ ended_at: number }>(folder, `SELECT ended_at FROM runs WHERE number = ${first}`);
  const acted = [...(await countEffects(effects, id)).keys()].sort();
  return { status, beganAfter: startedAt! >= run!.ended_at, acted };
}

const isEnded = (folder: HostFolder) => journalOf(folder).at(-1)?.kind === "ended";

function endOf(folder: HostFolder): Pick<Outcome, "status" | "code" | "output"> {
  const [run] = query<{ status: string; output: string; error: string }>(
    folder,
    `SELECT * FROM runs WHERE number = ${first}`,
  );
  const error = JSON.parse(run!.error) as { code: string } | null;
  return { status: run!.status, code: error?.code, output: JSON.parse(run!.output) };
}

const firstRunOf = (folder: HostFolder) =>
  query<{ id: string }>(folder, `SELECT id FROM runs WHERE number = ${first}`)[0]!.id;

async function countEffects(file: string, run: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const line of (await readFile(file, "utf8")).split("\n")) {
    if (!line.startsWith(`${run} `)) continue;
    const name = line.slice(run.length + 1);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
