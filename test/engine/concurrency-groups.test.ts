// What `concurrency` does with runs that meet, and what a cancel does wherever it comes.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { act, Bench, type Document, fails, hold, loaded, Stage } from "./bench.ts";

const group = (whenBusy: "queue" | "reject" | "supersede", more: Partial<Document> = {}): Document => ({
  concurrency: { group: "g", whenBusy },
  steps: [hold("${{ inputs.name }}")],
  ...more,
});

describe("supersede", () => {
  test("the new run begins when the old one has undone and cleaned up what it did", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      const document = group("supersede", {
        steps: [
          { ...act("did ${{ inputs.name }}"), undo: hold("undo ${{ inputs.name }}") },
          hold("${{ inputs.name }}"),
        ],
        onFailure: [act("${{ error.code }} ${{ inputs.name }}")],
        finally: [hold("finally ${{ inputs.name }}")],
      });
      const old = await bench.accept(document, { name: "old" });
      await stage.until("begun old");
      const fresh = await bench.accept(document, { name: "new" });
      assert.equal(bench.stored(fresh).status, "queued");
      await stage.let("undo old");
      await stage.let("finally old");
      assert.equal((await bench.engine.waitFor(old)).status, "superseded");
      await stage.let("new");
      await stage.let("finally new");
      assert.equal((await bench.engine.waitFor(fresh)).status, "succeeded");
      assert.deepEqual(stage.told, [
        "did old",
        "begun old",
        "aborted old",
        "begun undo old",
        "ended undo old",
        "RUN_SUPERSEDED old",
        "begun finally old",
        "ended finally old",
        "did new",
        "begun new",
        "ended new",
        "begun finally new",
        "ended finally new",
      ]);
    });
  });

  test("of several that come while the old one cleans up, only the last one begins; the others never do", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      const document = group("supersede", { finally: [hold("finally ${{ inputs.name }}")] });
      const names = ["a", "b", "c", "d"];
      const runs = [await bench.accept(document, { name: "a" })];
      await stage.until("begun a");
      for (const name of names.slice(1)) runs.push(await bench.accept(document, { name }));
      await stage.let("finally a");
      await stage.let("d");
      await stage.let("finally d");
      const ended = await Promise.all(runs.map((id) => bench.engine.waitFor(id)));
      assert.deepEqual(
        ended.map(({ status }) => status),
        ["superseded", "superseded", "superseded", "succeeded"],
      );
      assert.ok(!stage.told.includes("begun b") && !stage.told.includes("begun c"), String(stage.told));
      assert.deepEqual(ended[1]!.error?.details, { by: runs[2] });
    });
  });

  test("it still counts after the host has begun anew", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      const document = group("supersede", { finally: [hold("finally ${{ inputs.name }}")] });
      const old = await bench.accept(document, { name: "old" });
      await stage.until("begun old");
      const fresh = await bench.accept(document, { name: "new" });
      await stage.until("begun finally old");
      await bench.restart();
      stage.told.length = 0;
      await stage.let("finally old");
      assert.equal((await bench.engine.waitFor(old)).status, "superseded");
      await stage.let("new");
      await stage.let("finally new");
      assert.equal((await bench.engine.waitFor(fresh)).status, "succeeded");
    });
  });
});

test("reject refuses with GROUP_BUSY, and the run is there as rejected with that code", async () => {
  const stage = new Stage();
  await Bench.with(stage.steps, async (bench) => {
    const first = await bench.accept(group("reject"), { name: "first" });
    await stage.until("begun first");
    await assert.rejects(bench.accept(group("reject"), { name: "second" }), { code: "GROUP_BUSY" });
    const [second] = bench.store.runs.list({ status: ["rejected"] });
    assert.equal(second?.error?.code, "GROUP_BUSY");
    assert.equal(second.input && (second.input as { name: string }).name, "second");
    assert.deepEqual(
      bench.journal(second.id).map(({ kind }) => kind),
      ["ended"],
    );
    await stage.let("first");
    assert.equal((await bench.engine.waitFor(first)).status, "succeeded");
    const third = await bench.accept(group("reject"), { name: "third" });
    await stage.let("third");
    assert.equal((await bench.engine.waitFor(third)).status, "succeeded");
    assert.ok(!stage.told.includes("begun second"));
  });
});

test("queued runs begin in the order in which they were accepted, also after the host has begun anew", async () => {
  const stage = new Stage();
  await Bench.with(stage.steps, async (bench) => {
    const names = ["a", "b", "c", "d"];
    const runs = await Promise.all(names.map((name) => bench.accept(group("queue"), { name })));
    await stage.let("a");
    await stage.until("begun b");
    await bench.restart();
    stage.told.length = 0;
    for (const name of ["b", "c", "d"]) await stage.let(name);
    for (const id of runs) assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
    const ended = stage.told.filter((line) => line.startsWith("ended"));
    assert.deepEqual(ended, ["ended b", "ended c", "ended d"]);
  });
});

test("a group is shared by all workflows that name it, and one workflow may have several", async () => {
  const stage = new Stage();
  await Bench.with(stage.steps, async (bench) => {
    const document = (name: string): Document => ({
      name,
      concurrency: { group: "${{ inputs.group }}" },
      steps: [hold("${{ inputs.name }}")],
    });
    await bench.accept(document("one"), { group: "x", name: "x one" });
    const second = await bench.accept(document("other"), { group: "x", name: "x other" });
    await bench.accept(document("other"), { group: "y", name: "y" });
    await stage.until("begun y");
    assert.equal(bench.stored(second).status, "queued");
    await stage.let("x one");
    await stage.let("x other");
    assert.equal((await bench.engine.waitFor(second)).status, "succeeded");
    await stage.let("y");
  });
});

describe("a cancel", () => {
  test("of a queued run ends it at once, and its place goes to the next", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      const [first, second, third] = (await Promise.all(
        ["a", "b", "c"].map((name) => bench.accept(group("queue"), { name })),
      )) as [string, string, string];
      const cancelled = await bench.engine.cancel(second);
      assert.equal(cancelled.status, "cancelled");
      assert.equal(cancelled.error?.code, "RUN_CANCELLED");
      assert.deepEqual(
        bench.journal(second).map(({ kind }) => kind),
        ["ended"],
      );
      await assert.rejects(bench.engine.cancel(second), { code: "RUN_ENDED" });
      await stage.let("a");
      await stage.let("c");
      assert.equal((await bench.engine.waitFor(first)).status, "succeeded");
      assert.equal((await bench.engine.waitFor(third)).status, "succeeded");
      assert.ok(!stage.told.includes("begun b"));
    });
  });

  test("of a run whose turn is just coming ends it, however many ask for it", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      const document = group("queue", { finally: [act("finally ${{ inputs.name }}")] });
      const first = await bench.accept(document, { name: "a" });
      const second = await bench.accept(document, { name: "b" });
      await stage.let("a");
      // Told synchronously before the turn passes on, so that both cancels come while the second run is being taken up.
      const cancels = new Promise<unknown>((resolve) =>
        bench.engine.on("run", ({ id }) => {
          if (id !== first) return;
          setImmediate(() => resolve(Promise.all([bench.engine.cancel(second), bench.engine.cancel(second)])));
        }),
      );
      await cancels;
      const ended = await bench.engine.waitFor(second);
      assert.equal(ended.status, "cancelled");
      assert.equal(stage.told.includes("finally b"), bench.journal(second).length > 1);
    });
  });

  test("of a running run tells its steps, undoes, and cleans up; a second one changes nothing", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      const id = await bench.accept({
        steps: [{ ...act("one"), undo: act("undo one") }, { ...hold("two"), undo: act("undo two") }, act("three")],
        onFailure: [act("${{ error.code }}")],
        finally: [hold("finally")],
      });
      await stage.until("begun two");
      const told = await bench.engine.cancel(id);
      assert.notEqual(told.status, "cancelled");
      await stage.until("begun finally");
      await bench.engine.cancel(id);
      await stage.let("finally");
      const ended = await bench.engine.waitFor(id);
      assert.equal(ended.status, "cancelled");
      assert.equal(ended.error?.code, "RUN_CANCELLED");
      assert.deepEqual(stage.told, [
        "one",
        "begun two",
        "aborted two",
        "undo two",
        "undo one",
        "RUN_CANCELLED",
        "begun finally",
        "ended finally",
      ]);
      const aborts = bench.journal(id).filter(({ kind }) => kind === "aborting");
      assert.equal(aborts.length, 1);
    });
  });

  test("of a run between two attempts ends its wait", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      const step = { ...fails("try"), retry: { retries: 5, delay: "1h" }, undo: act("undo") };
      const id = await bench.accept({ steps: [step] });
      await bench.untilStatus(id, "waiting");
      await bench.engine.cancel(id);
      assert.equal((await bench.engine.waitFor(id)).status, "cancelled");
      assert.deepEqual(stage.told, ["try", "undo"]);
    });
  });

  test("of a run that waits ends its wait", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      const wait = { uses: "host/wait", with: { duration: "1h" } };
      const id = await bench.accept({ steps: [wait, act("never")], finally: [act("finally")] });
      await bench.untilStatus(id, "waiting");
      await bench.engine.cancel(id);
      assert.equal((await bench.engine.waitFor(id)).status, "cancelled");
      assert.deepEqual(stage.told, ["finally"]);
    });
  });

  test("of a run that is undoing lets it go on: it has failed", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      const id = await bench.accept({
        steps: [{ ...act("one"), undo: hold("undo") }, fails("fails")],
        onFailure: [act("${{ error.code }}")],
      });
      await stage.until("begun undo");
      await bench.untilStatus(id, "undoing");
      await bench.engine.cancel(id);
      await stage.let("undo");
      assert.equal((await bench.engine.waitFor(id)).status, "failed");
      assert.deepEqual(stage.told, ["one", "fails", "begun undo", "ended undo", "STEP_FAILED"]);
    });
  });

  test("during the finally of a run that has succeeded leaves it so", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      const id = await bench.accept({ steps: [act("one")], finally: [hold("finally")] });
      await stage.until("begun finally");
      await bench.engine.cancel(id);
      await stage.let("finally");
      assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
    });
  });

  test("survives the end of the host before it has taken effect", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      const id = await bench.accept({ steps: [hold("one")], finally: [hold("finally")] });
      await stage.until("begun one");
      await bench.engine.cancel(id);
      await stage.until("begun finally");
      await bench.restart();
      stage.told.length = 0;
      await stage.let("finally");
      assert.equal((await bench.engine.waitFor(id)).status, "cancelled");
    });
  });

  test("of a run that was under way and waits for its turn after a restart lets it clean up when that comes", async () => {
    const stage = new Stage();
    const options = { maxOpen: 2 };
    await Bench.with(
      stage.steps,
      async (bench) => {
        const first = await bench.accept({ steps: [hold("a")] });
        const document = { steps: [{ ...hold("b"), undo: act("undo b") }], finally: [act("finally b")] };
        const second = await bench.accept(document);
        await stage.until("begun a");
        await stage.until("begun b");
        options.maxOpen = 1;
        await bench.stop();
        stage.told.length = 0;
        await bench.restart();
        await stage.until("begun a");
        const told = await bench.engine.cancel(second);
        assert.notEqual(told.status, "cancelled");
        await bench.engine.cancel(second);
        await stage.let("a");
        assert.equal((await bench.engine.waitFor(first)).status, "succeeded");
        assert.equal((await bench.engine.waitFor(second)).status, "cancelled");
        assert.deepEqual(stage.told, ["begun a", "ended a", "undo b", "finally b"]);
      },
      options,
    );
  });

  test("of what never was or has ended says so", async () => {
    const stage = new Stage();
    await Bench.with(stage.steps, async (bench) => {
      await assert.rejects(bench.engine.cancel("nobody"), { code: "RUN_UNKNOWN" });
      const ended = await bench.run({ steps: [] });
      await assert.rejects(bench.engine.cancel(ended.id), { code: "RUN_ENDED" });
    });
  });
});

test("whoever waits for a queued run hears that the host stops", async () => {
  const stage = new Stage();
  await Bench.with(stage.steps, async (bench) => {
    await bench.accept(group("queue"), { name: "a" });
    const second = await bench.accept(group("queue"), { name: "b" });
    const waiting = assert.rejects(bench.engine.waitFor(second), { code: "HOST_STOPPING" });
    await stage.until("begun a");
    await bench.restart();
    await waiting;
  });
});

test("a run that is refused leaves no secrets behind", async () => {
  const stage = new Stage();
  const inputs = { type: "object", properties: { password: { type: "string", writeOnly: true } } };
  await Bench.with(
    stage.steps,
    async (bench) => {
      const document = group("reject", { inputs, steps: [hold("one")] });
      const kept = await bench.accept(document, { password: "swordfish" });
      await stage.until("begun one");
      await assert.rejects(bench.accept(document, { password: "swordfish" }), { code: "GROUP_BUSY" });
      const other = { inputs, steps: [hold("two")] };
      const queued = await bench.accept(other, { password: "swordfish" });
      await assert.rejects(bench.accept(other, { password: "swordfish" }), { code: "QUEUE_FULL" });
      assert.deepEqual(bench.store.secrets.list().sort(), [kept, queued].sort());
      await bench.engine.cancel(queued);
      assert.deepEqual(bench.store.secrets.list(), [kept]);
      const needy = { inputs, requires: { host: ">=99" }, steps: [] };
      await stage.let("one");
      await bench.engine.waitFor(kept);
      await assert.rejects(bench.accept(needy, { password: "swordfish" }), { code: "REQUIREMENT_UNMET" });
      await bench.stop();
      assert.deepEqual(bench.store.secrets.list(), []);
      await bench.restart();
    },
    { maxOpen: 1, maxWaiting: 1 },
  );
});

test("what a group is called may depend on the input; what is no text is refused", async () => {
  await Bench.with({}, async (bench) => {
    const workflow = loaded({ concurrency: { group: "${{ inputs.n }}" }, steps: [] });
    await assert.rejects(bench.engine.accept(workflow, { input: { n: 1 } }), { code: "EXPRESSION_FAILED" });
    assert.deepEqual(bench.store.runs.list({}), []);
  });
});
