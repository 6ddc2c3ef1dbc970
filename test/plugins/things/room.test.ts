import assert from "node:assert/strict";
import { test } from "node:test";
import { Room } from "../../../plugins/things/room.ts";

test("as many enter as fit, in the order in which they came, and each makes room when it has left", async () => {
  const [entered, left]: [number[], number[]] = [[], []];
  let waiting = 0;
  let most = 0;
  const room = new Room(() => 3 - waiting);
  const all = Array.from({ length: 10 }, (_, index) =>
    room.enter(async () => {
      entered.push(index);
      // The queue counts it only once it is durable.
      await new Promise((resolve) => setTimeout(resolve, 1));
      waiting += 1;
      most = Math.max(most, waiting);
    }),
  );
  const everything = Promise.all(all);
  while (left.length < 10) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (waiting === 0) continue;
    waiting -= 1;
    left.push(entered[left.length]!);
    room.look();
  }
  await everything;
  assert.deepEqual(entered, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(most, 3);
});

test("what cannot be put in gives its room back", async () => {
  const room = new Room(() => 1);
  await assert.rejects(
    room.enter(() => Promise.reject(new Error("no"))),
    { message: "no" },
  );
  await room.enter(async () => {});
});
