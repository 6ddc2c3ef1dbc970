import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "gantry/toolkit/turns";

const never = new AbortController().signal;

test("work at one path is done one after the other, in order, whatever becomes of it; other paths do not wait", async () => {
  const turns = new Turns();
  const told: string[] = [];
  const first = Promise.withResolvers<void>();
  const work = (name: string, wait?: Promise<void>) => async (waited: boolean) => {
    told.push(`${name} begins${waited ? ", having waited" : ""}`);
    await wait;
    told.push(`${name} ends`);
    if (name === "b") throw new Error("b fails");
    return name;
  };
  const a = turns.take("/x", never, work("a", first.promise));
  const b = turns.take("/x", never, work("b"));
  const c = turns.take("/x", never, work("c"));
  assert.equal(await turns.take("/y", never, work("d")), "d");
  first.resolve();
  await assert.rejects(b, /b fails/);
  assert.deepEqual([await a, await c], ["a", "c"]);
  assert.deepEqual(told, [
    ...["a begins", "d begins", "d ends", "a ends"],
    ...["b begins, having waited", "b ends", "c begins, having waited", "c ends"],
  ]);
  await new Promise(setImmediate);
  assert.equal(await turns.take("/x", never, async (waited) => waited), false, "nothing is remembered");
});

test("who gives up waiting rejects with the reason, and lets nobody pass before those that were there", async () => {
  const turns = new Turns();
  const first = Promise.withResolvers<void>();
  const running = turns.take("/x", never, () => first.promise);
  const controller = new AbortController();
  const given = turns.take("/x", controller.signal, () => Promise.reject(new Error("not to be begun")));
  let isLast = false;
  const last = turns.take("/x", never, async () => {
    isLast = true;
  });
  controller.abort(new Error("enough"));
  await assert.rejects(given, /enough/);
  assert.equal(isLast, false);
  first.resolve();
  await Promise.all([running, last]);
  assert.equal(isLast, true);
});
