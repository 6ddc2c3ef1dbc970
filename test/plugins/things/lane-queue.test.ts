// The queue of a lane over a real store.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { OutboxEntry } from "../../../host/sdk.ts";
import { openStore } from "../../../host/store/open.ts";
import type { Entry } from "../../../plugins/things/entries.ts";
import { LaneQueue } from "../../../plugins/things/lane-queue.ts";

const level = (value: number | string): Entry => ({ kind: "modify", path: "level", value });
const valueIn = ({ message }: OutboxEntry) => (message as { value: unknown }).value;

async function withQueue(
  { maxLaneBytes = 1 << 20, maxMessages = 100, mergeAbove = 50 },
  work: (open: () => Promise<LaneQueue>, dropped: { values: unknown[]; count: number }) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "gantry-lane-"));
  const store = await openStore(directory, { maxLaneBytes });
  const dropped = { values: [] as unknown[], count: 0 };
  const open = async () => {
    const queue = new LaneQueue({
      outbox: store.outbox("things"),
      name: "/Lamp",
      maxMessages,
      mergeAbove,
      onDropped: async (entries, count) => {
        dropped.values.push(...entries.map(valueIn));
        dropped.count += count;
      },
    });
    await queue.load();
    return queue;
  };
  try {
    await work(open, dropped);
  } finally {
    await store.close();
    rmSync(directory, { recursive: true });
  }
}

/** Sends all that waits; what was sent. */
async function drain(queue: LaneQueue): Promise<unknown[]> {
  const values: unknown[] = [];
  for (;;) {
    const next = await queue.first();
    await queue.removeSent();
    if (next === undefined) return values;
    values.push(valueIn(next));
    queue.sent(next);
  }
}

test("messages are counted and kept in order over a restart; what was sent and not removed comes again", async () => {
  await withQueue({}, async (open) => {
    const queue = await open();
    await Promise.all([1, 2, 3, 4].map((value) => queue.put(level(value), {})));
    const first = await queue.first();
    assert.equal(valueIn(first!), 1);
    queue.sent(first!);
    assert.equal(queue.length, 3);
    const again = await open();
    assert.equal(again.length, 4);
    assert.deepEqual(await drain(again), [1, 2, 3, 4]);
    assert.equal(again.length, 0);
    assert.equal((await open()).length, 0);
  });
});

test("a message under a key that has been used is dropped, also after it has left", async () => {
  await withQueue({}, async (open) => {
    const queue = await open();
    for (const value of [1, 2]) await queue.put(level(value), { key: "a" });
    assert.equal(queue.length, 1);
    assert.deepEqual(await drain(queue), [1]);
    await queue.put(level(3), { key: "a" });
    assert.deepEqual(await drain(queue), []);
  });
});

test("what is merged is stored before the next other message, or when fewer wait", async () => {
  await withQueue({ mergeAbove: 2 }, async (open) => {
    const queue = await open();
    for (const value of [1, 2, 3, 4]) await queue.put(level(value), { intermediate: true });
    await queue.put({ kind: "modify", path: "other", value: "x" }, { intermediate: true });
    assert.equal(queue.length, 2);
    await queue.flush();
    assert.equal(queue.length, 2);
    await queue.put(level(5), {});
    assert.equal(queue.length, 5);
    await queue.put(level(6), { intermediate: true });
    assert.deepEqual(await drain(queue), [1, 2, 4, "x", 5]);
    await queue.flush();
    assert.deepEqual(await drain(queue), [6]);
  });
});

test("a lane that is full by bytes drops its oldest messages, and what could never fit", async () => {
  await withQueue({ maxLaneBytes: 2000, maxMessages: 10 }, async (open, dropped) => {
    const queue = await open();
    for (let n = 1; n <= 9; n++) await queue.put(level(`${n}${"x".repeat(300)}`), {});
    await queue.put(level("y".repeat(3000)), {});
    const left = (await drain(queue)).map((value) => (value as string)[0]);
    assert.deepEqual(left, ["6", "7", "8", "9"]);
    assert.deepEqual(
      dropped.values.map((value) => (value as string)[0]),
      ["1", "2", "3", "4", "5"],
    );
    assert.equal(dropped.count, 6);
  });
});

test("dropping spares what was sent, and goes on while a message is on its way", async () => {
  await withQueue({ maxMessages: 10 }, async (open, dropped) => {
    const queue = await open();
    for (let n = 1; n <= 10; n++) await queue.put(level(n), {});
    const onItsWay = await queue.first();
    for (let n = 11; n <= 13; n++) await queue.put(level(n), {});
    queue.sent(onItsWay!);
    assert.deepEqual(dropped, { values: [1, 2, 3], count: 3 });
    assert.equal(queue.length, 10);
    assert.deepEqual(await drain(queue), [4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  });
});
