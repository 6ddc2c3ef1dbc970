// Plugins whose harm is in what they hand over: schemas, results, errors, SQL and folders that cost whoever deals with
// them. A whole host has to survive each, to say what was wrong, and to work on.

import assert from "node:assert/strict";
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startTestHost, type TestHost } from "../../host/testing/test-host.ts";
import { makePlugin } from "../conformance/violating-plugins.ts";

const output = (schema: object) => ({ output: { type: "object", ...schema } });
const doubling = Object.fromEntries(
  Array.from({ length: 40 }, (_, level) => [
    `level${level}`,
    level === 39
      ? { type: "number" }
      : { anyOf: [{ $ref: `#/$defs/level${level + 1}` }, { $ref: `#/$defs/level${level + 1}` }] },
  ]),
);

const steps = {
  pattern: {
    run: `return { text: "a".repeat(100) + "!" };`,
    manifest: output({ properties: { text: { type: "string", pattern: "^(a+)+$" } } }),
  },
  compare: {
    run: `return { list: Array.from({ length: 60_000 }, (_, index) => ({ index })) };`,
    manifest: output({ properties: { list: { type: "array", uniqueItems: true } } }),
  },
  double: {
    run: `return { value: "x" };`,
    manifest: { output: { type: "object", $defs: doubling, properties: { value: { $ref: "#/$defs/level0" } } } },
  },
  query: {
    run: `
      const database = context.database("own");
      await database.get("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n");
      return {};`,
  },
  write: {
    run: `
      const database = context.database("own");
      await database.migrate(["CREATE TABLE t (x)"]);
      await database.run("INSERT INTO t WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n");
      return {};`,
  },
  dig: {
    run: `
      process.chdir(context.directory);
      for (let depth = 0; depth < 3000; depth++) { fs.mkdirSync("deeper"); process.chdir("deeper"); }
      throw new Error("deep enough");`,
  },
  exaggerate: {
    run: `
      const error = new Error("x".repeat(3_000_000));
      error.code = "__proto__";
      error.remedy = { toString: null };
      error.details = { __proto__: null, ["__proto__"]: { polluted: true }, constructor: { prototype: 1 } };
      error.retryable = "yes";
      error.answer = { status: "x".repeat(100_000), error: [] };
      throw error;`,
  },
  complain: {
    run: `throw Object.defineProperty(new Error("no"), "stack", { get() { throw new Error("no stack"); } });`,
  },
  remember: {
    run: `
      for (let round = 0; round < 100; round++) await context.checkpoint("x".repeat(2_000_000) + round);
      return {};`,
  },
  work: { run: "return {};" },
};

const plugin = makePlugin({ steps });
let host: TestHost;

before(async () => {
  const workflows = Object.fromEntries(
    Object.keys(steps).map((step) => [step, { steps: [{ id: "it", uses: `made/${step}` }] }]),
  );
  host = await startTestHost({
    plugins: [plugin.folder],
    workflows: { ...workflows, pause: { steps: [{ uses: "host/wait", with: { duration: "1ms" } }] } },
    process: true,
  });
});
after(async () => {
  await host[Symbol.asyncDispose]();
  plugin[Symbol.dispose]();
});

/** What becomes of the step; everything else has to go on after it. */
async function attacked(step: string) {
  const run = await host.run(step);
  assert.equal((await host.run("pause")).status, "succeeded");
  assert.equal((await host.run("work")).status, "succeeded", host.logText().slice(-2000));
  return { code: run.error?.code, message: run.error?.message ?? "", status: run.status };
}

for (const step of ["pattern", "compare", "double"])
  test(`a schema that takes for ever is cut off: ${step}`, async () => {
    const { code, message } = await attacked(step);
    assert.equal(code, "OUTPUT_INVALID");
    assert.match(message, /within 500 ms/);
  });

for (const step of ["query", "write"])
  test(`SQL that never ends is refused: ${step}`, async () => {
    assert.equal((await attacked(step)).code, "DATABASE_DENIED");
  });

test("a plugin that digs folders deeper than a path can be comes to an end", async () => {
  assert.equal((await attacked("dig")).status, "failed");
});

test("an error that is made to hurt is an error like others", async () => {
  const { code, message } = await attacked("complain");
  assert.equal(code, "STEP_FAILED");
  assert.match(message, /cannot be read: .*no stack/);
});

test("an error whose members are too large or of wrong kinds is cut to size", async () => {
  const { code, message } = await attacked("exaggerate");
  assert.equal(code, "__proto__");
  assert.ok(message.length < 20_000, `${message.length}`);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test("checkpoints of 200 MB are written one after the other, and kept no longer than they are needed", async () => {
  const before = sizeOf(host.data);
  assert.equal((await attacked("remember")).status, "succeeded");
  assert.ok(sizeOf(host.data) - before < 20e6, `${(sizeOf(host.data) - before) / 1e6} MB`);
});

/** In bytes, everything in the data folder but what runs leave in theirs. */
function sizeOf(data: string): number {
  return readdirSync(data)
    .filter((name) => name !== "runs")
    .flatMap((name) => [name, ...below(data, name)])
    .map((name) => lstatSync(join(data, name)))
    .reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0);
}

function below(data: string, name: string): string[] {
  if (!lstatSync(join(data, name)).isDirectory()) return [];
  return readdirSync(join(data, name), { recursive: true, encoding: "utf8" }).map((inner) => join(name, inner));
}
