// What a run keeps all its life: its documents, its input and its secrets; and what a repetition takes from it.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Json } from "../../host/sdk.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { act, Bench, type Document, hold, loaded, Stage, type Work } from "./bench.ts";

const secretInputs = {
  type: "object",
  properties: { user: { type: "string" }, password: { type: "string", writeOnly: true }, n: { default: 7 } },
};
// Long enough to be masked, and with characters that are written differently as JSON, in base64 and in a URL.
const password = 'correct "horse" battery/staple';

describe("a secret that comes with the input", () => {
  const seen: Json[] = [];
  const use: Work = async (input, { log, progress }) => {
    seen.push(input);
    const { password } = input as { password: string };
    log.info(`logging in with ${password}`);
    progress({ message: `using ${password}`, details: { password } });
    if (seen.length === 2) throw new Error(`refused: ${password}`);
    return { told: `used ${password}`, encoded: Buffer.from(password).toString("base64") };
  };
  const login = { user: "${{ inputs.user }}", password: "${{ inputs.password }}" };
  const document: Document = {
    inputs: secretInputs,
    vars: { login },
    steps: [
      { id: "one", uses: "t/use", with: login, onProgress: act("${{ progress.message }}") },
      hold("between"),
      { id: "two", uses: "t/use", with: "${{ vars.login }}" as never, continueOnError: true },
      { uses: "workflow:inner", with: login },
    ],
    outputs: { one: "${{ steps.one.outputs.told }}", two: "${{ steps.two.status }}" },
  };
  const inner: Document = { inputs: secretInputs, steps: [{ uses: "t/use", with: login }] };

  test("is used by steps, survives a restart, is nowhere but in its own file, and is gone at the end", async () => {
    const stage = new Stage();
    await Bench.with({ ...stage.steps, "t/use": use }, async (bench) => {
      const id = await bench.accept(document, { user: "me", password }, { inner });
      await stage.until("begun between");
      assert.deepEqual(stage.told, ["using ***", "begun between"]);
      assert.deepEqual(bench.store.secrets.list(), [id]);
      await bench.stop();
      stage.told.length = 0;
      await bench.restart();
      await stage.let("between");
      const ended = await bench.engine.waitFor(id);
      assert.equal(ended.status, "succeeded", JSON.stringify(ended.error));
      assert.deepEqual(
        seen.map((input) => (input as { password: string }).password),
        [password, password, password],
      );
      assert.equal((ended.output as { two: string }).two, "failed");
      await waitFor("the end of the secrets", () => bench.store.secrets.list().length === 0);
      await bench.stop();
      for (const form of [password, JSON.stringify(password).slice(1, -1), encodeURIComponent(password)]) {
        assert.ok(!bench.log.includes(form), "in the log");
        assert.ok(!JSON.stringify([bench.events, bench.stepEvents, bench.progressEvents]).includes(form), "in events");
        for (const file of filesBelow(bench.directory))
          assert.ok(!readFileSync(file).includes(form), `${form} is in ${file}`);
      }
      assert.match(bench.log, /logging in with \*\*\*/);
      await bench.restart();
    });
  });

  test("is handed on by a step that returns it where its output is marked, as a reference", async () => {
    const stage = new Stage();
    const given: Json[] = [];
    const sort: Work = async (input) => ({ secret: (input as { password: string }).password, n: 1 });
    const take: Work = async (input) => void given.push(input);
    const steps: Document["steps"] = [
      { id: "sort", uses: "t/sort", with: login },
      hold("between"),
      {
        uses: "t/take",
        with: { sorted: "${{ steps.sort.outputs }}", "in words": "<${{ steps.sort.outputs.secret }}>" },
      },
    ];
    await Bench.with({ ...stage.steps, "t/sort": sort, "t/take": take }, async (bench) => {
      const id = await bench.accept({ inputs: secretInputs, steps }, { user: "me", password });
      await stage.until("begun between");
      await bench.stop();
      stage.told.length = 0;
      await bench.restart();
      await stage.let("between");
      assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
      const [{ sorted, "in words": words }] = given as [{ sorted: Json; "in words": string }];
      assert.deepEqual(sorted, { secret: password, n: 1 });
      assert.match(words, /^<\{"\$secret":"run:[0-9a-f-]+"\}>$/);
      const journal = JSON.stringify(bench.journal(id));
      assert.match(journal, /"secret":\{"\$secret":"run:/);
      assert.ok(!journal.includes("battery"));
    });
  });

  test("that is gone fails the step which needs it with SECRET_MISSING, and the step is never called", async () => {
    const stage = new Stage();
    await Bench.with({ ...stage.steps, "t/use": use }, async (bench) => {
      const called = seen.length;
      const steps = [hold("before"), { uses: "t/use", with: login }];
      const id = await bench.accept({ inputs: secretInputs, steps }, { password });
      await stage.until("begun before");
      await bench.store.secrets.remove(id);
      await bench.stop();
      stage.told.length = 0;
      await bench.restart();
      await stage.let("before");
      const ended = await bench.engine.waitFor(id);
      assert.equal(ended.error?.code, "SECRET_MISSING");
      assert.equal(seen.length, called);
    });
  });

  test("cannot be named by an input from outside", async () => {
    await Bench.with({}, async (bench) => {
      for (const password of [{ $secret: "run:1" }, { $secret: "PATH" }])
        await assert.rejects(bench.accept({ inputs: {}, steps: [] }, { password }), { code: "INPUT_INVALID" });
    });
  });

  test("is not there for a repetition, which says so", async () => {
    await Bench.with({}, async (bench) => {
      const ended = await bench.run({ inputs: secretInputs, steps: [] }, { password });
      await assert.rejects(bench.engine.retry(ended.id), { code: "SECRET_MISSING" });
    });
  });
});

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe("a repetition", () => {
  test("is a new run with the same input, which knows what it repeats; of the document as it is now", async () => {
    const stage = new Stage();
    let now: Document = { steps: [act("old ${{ inputs.n }} ${{ toJSON(run.retryOf) }}")], inputs: secretInputs };
    await Bench.with(
      stage.steps,
      async (bench) => {
        const first = await bench.run(now, { user: "me" });
        now = { steps: [act("new ${{ inputs.n }} ${{ run.retryOf }}")], inputs: secretInputs };
        const { runId } = await bench.engine.retry(first.id);
        const second = await bench.engine.waitFor(runId);
        assert.equal(second.retryOf, first.id);
        assert.deepEqual(second.input, { user: "me", n: 7 });
        assert.deepEqual(stage.told, ["old 7 null", `new 7 ${first.id}`]);
      },
      { findWorkflow: () => loaded(now) },
    );
  });

  test("is of the document it began with, and of what that called, where there is none any more", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      const first = await bench.run({ steps: [{ uses: "workflow:inner" }] }, {}, { inner: { steps: [act("inner")] } });
      const { runId } = await bench.engine.retry(first.id);
      assert.equal((await bench.engine.waitFor(runId)).status, "succeeded");
      assert.deepEqual(stage.told, ["inner", "inner"]);
    });
  });

  test("of a run that goes on, or of none, is refused", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      const id = await bench.accept({ steps: [hold("one")] });
      await assert.rejects(bench.engine.retry(id), { code: "RUN_NOT_ENDED" });
      await assert.rejects(bench.engine.retry("nobody"), { code: "RUN_UNKNOWN" });
      await stage.let("one");
    });
  });
});

test("a run goes on with the documents it began with, though all of them have changed", async () => {
  const stage = new Stage();
  await Bench.with(stage.steps, async (bench) => {
    const main: Document = { steps: [hold("first"), { uses: "workflow:inner" }, act("main old")] };
    const id = await bench.accept(main, {}, { inner: { steps: [act("inner old")] } });
    await stage.until("begun first");
    await bench.stop();
    stage.told.length = 0;
    await bench.restart();
    await stage.until("begun first");
    // The same names stand for other texts now, and a run of those begins beside it.
    const changed: Document = { steps: [{ uses: "workflow:inner" }] };
    const other = await bench.run(changed, {}, { inner: { steps: [act("inner new")] } });
    assert.equal(other.status, "succeeded");
    await stage.let("first");
    assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
    assert.deepEqual(stage.told, ["begun first", "inner new", "ended first", "inner old", "main old"]);
    assert.notEqual(bench.stored(id).document, other.document);
  });
});
