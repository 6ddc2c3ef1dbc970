// Whatever is sent to software update is answered, reported or logged, and the host goes on serving.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { answerText, Backend } from "./backend.ts";
import { accepted, refused, silent, textOf } from "./hostile.ts";

describe("hostile commands", { timeout: 300_000 }, () => {
  let backend: Backend;

  before(async () => {
    backend = await Backend.start();
  });
  after(() => backend[Symbol.asyncDispose]());

  const answers = (id: string) => backend.device.on(new RegExp(`^command///res/${id}/`)).map(({ topic }) => topic);
  const send = (id: string, given: unknown) => backend.device.send(`command///req/${id}/install`, textOf(given));
  const serves = async (id: string) => {
    await backend.install(id, backend.scripted("fine", "true"));
    assert.equal((await backend.finished(id)).at(-1), "fine FINISHED_SUCCESS");
  };

  test("there are enough of them", () => {
    assert.ok(Object.keys(refused).length + Object.keys(silent).length + Object.keys(accepted).length >= 60);
  });

  test("that cannot be understood are answered 400, and nothing follows", async () => {
    const since = backend.device.heard.length;
    for (const [index, given] of Object.values(refused).entries()) await send(`refused-${index}`, given);
    for (const [index, what] of Object.keys(refused).entries()) {
      await waitFor(`an answer to ${what}`, () => answers(`refused-${index}`).length > 0);
      assert.deepEqual(answers(`refused-${index}`), [`command///res/refused-${index}/400`], what);
      // Who sends much that is wrong is not answered with more.
      const [text = ""] = await backend.device.texts(`command///res/refused-${index}/400`, 1);
      assert.ok(text.length < 20_000, `${text.length} characters for ${what}`);
    }
    assert.deepEqual(backend.texts(since), []);
    await serves("after-the-refused");
  });

  test("that are for nobody here are met with silence", async () => {
    for (const [index, given] of Object.values(silent).entries()) await send(`silent-${index}`, given);
    await serves("after-the-silent");
    for (const [index, what] of Object.keys(silent).entries()) assert.deepEqual(answers(`silent-${index}`), [], what);
  });

  test("that can be understood and not be carried out are accepted, and each module has an end", async () => {
    const ends = () =>
      backend
        .statuses("hostile")
        .filter(({ property, value }) => property === "lastOperation" && value.status === "FINISHED_ERROR").length;
    for (const [index, [what, [given, count]]] of Object.entries(accepted).entries()) {
      const before = ends();
      await send(`accepted-${index}`, given);
      await waitFor(`the answer to ${what}`, () => answers(`accepted-${index}`).length > 0);
      assert.deepEqual(answers(`accepted-${index}`), [`command///res/accepted-${index}/204`], what);
      await waitFor(
        `${count} ends of ${what}\n${backend.device.host.log.slice(-3000)}`,
        () => ends() >= before + count,
      );
      assert.equal(ends(), before + count, what);
    }
    await serves("after-the-accepted");
    assert.ok(!existsSync("/tmp/evil"));
    assert.ok(!existsSync(join(backend.device.data, "plugins/software-update/download/etc")));
    const other = backend.statuses("hostile").map(({ value }) => value.status);
    assert.ok(!other.includes("FINISHED_SUCCESS"));
  });

  test("without a request id are dropped, and several hundred at once leave the host as it was", async () => {
    const given = Object.values(refused)
      .map(textOf)
      .filter(({ length }) => length < 1000);
    const sent = Array.from({ length: 400 }, (_, n) =>
      backend.device.send(`command///req/${n % 2 === 0 ? "" : `many-${n}`}/install`, given[n % given.length]!),
    );
    await Promise.all(sent);
    await waitFor("all answers", () => backend.device.on(/res\/many-/).length >= 200);
    await serves("after-the-many");
    assert.equal(backend.device.on(/res\/many-/).length, 200);
    assert.equal(
      await backend.device.text("command///res/r-after-the-many/204"),
      answerText("install", "h-after-the-many"),
    );
    assert.ok(process.kill(backend.device.host.pid, 0));
  });
});
