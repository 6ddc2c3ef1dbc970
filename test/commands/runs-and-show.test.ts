import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { catalogue, GantryError } from "../../host/errors.ts";
import { openStoreForReading } from "../../host/store/open.ts";
import { gantry } from "./gantry.ts";
import { failedRun, failedRunJournal, waitingRun } from "./told-runs.ts";

const program = fileURLToPath(new URL("./holding-process.ts", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "gantry-commands-"));
const data = join(root, "data");
let holder: ChildProcess;

before(async () => {
  holder = spawn(process.execPath, [program, data], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await Promise.race([once(holder.stdout!, "data"), once(holder, "exit")]);
  assert.equal(String(line), "holding\n");
});

after(() => {
  holder.kill("SIGKILL");
  rmSync(root, { recursive: true });
});

/** The tests below hold while a host has the folder, and after it was killed. */
function commandsWork(when: string): void {
  test(`${when} runs lists newest first, with codes and durations`, async () => {
    const { code, stdout, stderr } = await gantry("runs", "--data", data);
    assert.deepEqual(
      stdout.split("\n").map((line) => line.split(/ {2,}/)),
      [
        ["run", "workflow", "status", "accepted", "took"],
        [waitingRun.id, "install", "queued", "2026-03-01T12:00:01"],
        [failedRun.id, "blink", "failed (LAMP_BROKEN)", "2026-03-01T12:00:00", "1m30s"],
        [""],
      ],
    );
    assert.deepEqual([code, stderr], [0, ""]);
  });

  test(`${when} runs --json gives one object a line`, async () => {
    const { code, stdout } = await gantry("runs", "--data", data, "--json");
    const [first, second, ...others] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const time = "2026-03-01T12:00:00.000Z";
    assert.deepEqual(second, {
      ...failedRun,
      acceptedAt: time,
      startedAt: time.replace("000Z", "010Z"),
      endedAt: "2026-03-01T12:01:30.000Z",
    });
    assert.deepEqual([first.id, first.status, first.endedAt], [waitingRun.id, "queued", null]);
    assert.deepEqual([code, others], [0, []]);
  });

  test(`${when} runs can be chosen by workflow, state and number`, async () => {
    const idsOf = async (...args: string[]) =>
      (await gantry("runs", "--data", data, "--json", ...args)).stdout
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line).id);
    assert.deepEqual(await idsOf("--workflow", "blink"), [failedRun.id]);
    assert.deepEqual(await idsOf("--status", "queued", "running"), [waitingRun.id]);
    assert.deepEqual(await idsOf("--limit", "1"), [waitingRun.id]);
    assert.deepEqual(await idsOf("--workflow", "none"), []);
  });

  test(`${when} show tells a run step by step, without control characters`, async () => {
    const { code, stdout, stderr } = await gantry("show", failedRun.id, "--data", data);
    assert.equal(
      stdout,
      `run ${failedRun.id} of blink: failed
accepted 2026-03-01 12:00:00, took 1m30s, group lamps

step                    status     attempts  took
fetch (download/fetch)  succeeded  1         2s
lamp/blink              failed     2         1m28s  the lamp said: [31mno (LAMP_BROKEN); repeated after a stop

fetch: the lamp said: [31mno (LAMP_BROKEN)
Replace the [2J bulb.
`,
    );
    assert.deepEqual([code, stderr], [0, ""]);
  });

  test(`${when} show --json gives the run with its journal`, async () => {
    const { code, stdout } = await gantry("show", failedRun.id, "--data", data, "--json");
    const { journal, ...run } = JSON.parse(stdout);
    assert.deepEqual(journal, failedRunJournal);
    assert.deepEqual([run.id, run.status, run.error.code], [failedRun.id, "failed", "LAMP_BROKEN"]);
    assert.equal(code, 0);
  });
}

commandsWork("while a host holds the data folder,");

test("the host that holds the folder is there until it is killed", async () => {
  assert.equal(holder.exitCode, null);
  const exit = once(holder, "exit");
  holder.kill("SIGKILL");
  assert.deepEqual(await exit, [null, "SIGKILL"]);
});

commandsWork("after a host was killed,");

test("the beginning of an id is enough, where it leaves no doubt", async () => {
  assert.match((await gantry("show", "01890", "--data", data)).stdout, new RegExp(`^run ${failedRun.id} of blink`));
  const { code, stderr } = await gantry("show", "0189", "--data", data);
  assert.match(stderr, /several runs have an id that begins with 0189 \(RUN_UNKNOWN\)/);
  assert.equal(code, 1);
});

test("a run that nobody knows is RUN_UNKNOWN, with the remedy", async () => {
  const { code, stdout, stderr } = await gantry("show", "nope", "--data", data);
  assert.equal(
    stderr,
    `gantry: no run has an id that begins with nope (RUN_UNKNOWN)\n${catalogue.RUN_UNKNOWN.remedy}\n`,
  );
  assert.deepEqual([code, stdout], [1, ""]);
});

test("a folder without a store is STORE_MISSING, and stays without one", async () => {
  const { code, stderr } = await gantry("runs", "--data", join(root, "nothing"));
  assert.match(stderr, /\(STORE_MISSING\)\n/);
  assert.equal(code, 1);
  assert.throws(() => openStoreForReading(join(root, "nothing")), { code: "STORE_MISSING" });
});

test("of a damaged store is shown what can be read, or STORE_DAMAGED with its remedy, wherever the damage is", async () => {
  const damaged = join(root, "damaged");
  const file = join(damaged, "gantry.db");
  mkdirSync(damaged);
  for (const name of ["gantry.db", "gantry.db-wal"]) copyFileSync(join(data, name), join(damaged, name));
  const database = new DatabaseSync(file);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  const whole = readFileSync(file);
  let told = 0;
  let refused: Buffer | undefined;
  for (let at = 100; at < whole.length; at += 48) {
    const bytes = Buffer.from(whole).fill(0xff, at, at + 8);
    writeFileSync(file, bytes);
    let listed = false;
    try {
      const store = openStoreForReading(damaged);
      try {
        const runs = store.runs.list({});
        listed = true;
        for (const { id, workflow, status } of runs) {
          for (const text of [id, workflow, status]) assert.equal(typeof text, "string");
          store.runs.journal(id);
        }
        told += 1;
      } finally {
        store.close();
      }
    } catch (error) {
      assert.ok(error instanceof GantryError, `damage at ${at}: ${(error as Error).stack}`);
      assert.match(error.code, /^STORE_/);
      if (error.code === "STORE_DAMAGED" && !listed) refused = bytes;
    }
  }
  assert.ok(told > 0);
  assert.ok(refused !== undefined);
  writeFileSync(file, refused);
  const { code, stdout, stderr } = await gantry("runs", "--data", damaged);
  assert.ok(stderr.endsWith(`(STORE_DAMAGED)\n${catalogue.STORE_DAMAGED.remedy}\n`), stderr);
  assert.deepEqual([code, stdout], [1, ""]);
});
