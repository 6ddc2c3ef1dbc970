import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openStore } from "../../../host/store/open.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import type { Message } from "../../../plugins/mqtt/service.ts";
import { Subscriptions } from "../../../plugins/mqtt/subscriptions.ts";
import { recordingLog } from "../../support/recording-log.ts";

const about = (topic: string, qos: 0 | 1 = 1): Message => ({ topic, payload: "", qos, retain: false });
const patient = { keepMs: 3_600_000, idleMs: 3_600_000, maxHeldQos0: 10 };

/** Gives several lives of the subscriptions over one store, the earlier ones closed. */
async function withLives(work: (live: (patience?: typeof patient) => Promise<Subscriptions>) => Promise<void>) {
  const directory = mkdtempSync(join(tmpdir(), "gantry-subscriptions-"));
  const store = await openStore(directory);
  let living: Subscriptions | undefined;
  try {
    await work(async (patience = patient) => {
      living?.close();
      living = new Subscriptions(store.keyValue("mqtt"), recordingLog([]), patience);
      await living.restore();
      return living;
    });
  } finally {
    living?.close();
    await store.close();
    rmSync(directory, { recursive: true });
  }
}

const stateOf = (delivery: Promise<void>) =>
  Promise.race([delivery.then(() => "handled").catch(() => "refused"), sleep(100).then(() => "waiting")]);

test("a life without listeners ends no subscription of the one before, and handles none of its messages", async () => {
  await withLives(async (live) => {
    await (await live()).add("a", 1, async () => {}, false);
    const idle = await live({ ...patient, keepMs: 1 });
    const early = idle.deliver(about("a"));
    assert.equal(await stateOf(early), "waiting");
    idle.close();
    assert.equal(await stateOf(early), "refused");
    assert.deepEqual((await live()).filters(), [["a", 1]]);
  });
});

test("once somebody has come, what nobody takes up is ended and its messages are handled", async () => {
  await withLives(async (live) => {
    const first = await live();
    for (const filter of ["a", "b"]) await first.add(filter, 1, async () => {}, false);
    const second = await live({ ...patient, keepMs: 50 });
    const early = second.deliver(about("b"));
    await second.add("a", 1, async () => {}, false);
    await early;
    assert.deepEqual(second.filters(), [["a", 1]]);
    await waitFor("the shorter list to be kept", async () => (await live()).filters().length === 1);
  });
});

test("a message that comes while one of two listeners is gone waits for it, and the other has it at once", async () => {
  await withLives(async (live) => {
    const subscriptions = await live();
    const had: string[] = [];
    const stop = await subscriptions.add("a", 1, async () => void had.push("gone"), false);
    await subscriptions.add("a", 1, async () => void had.push("there"), false);
    stop();
    const delivery = subscriptions.deliver(about("a"));
    assert.equal(await stateOf(delivery), "waiting");
    assert.deepEqual(had, ["there"]);
    await subscriptions.add("a", 1, async () => void had.push("back"), false);
    await delivery;
    assert.deepEqual(had, ["there", "back"]);
  });
});

test("a temporary listener leaves nothing behind", async () => {
  await withLives(async (live) => {
    const subscriptions = await live();
    const stop = await subscriptions.add("answer", 1, async () => {}, true);
    stop();
    assert.deepEqual(subscriptions.filters(), []);
    assert.equal(await stateOf(subscriptions.deliver(about("answer"))), "handled");
  });
});

test("messages with QoS 0 wait up to a number, further ones do not", async () => {
  await withLives(async (live) => {
    await (await live()).add("a", 0, async () => {}, false);
    const next = await live({ ...patient, maxHeldQos0: 3 });
    const early = Array.from({ length: 5 }, () => next.deliver(about("a", 0)));
    assert.deepEqual(await Promise.all(early.map(stateOf)), ["waiting", "waiting", "waiting", "handled", "handled"]);
    const had: string[] = [];
    await next.add("a", 0, async ({ topic }) => void had.push(topic), false);
    await Promise.all(early);
    assert.equal(had.length, 3);
  });
});
