// What is beyond the original: operations are canceled, and software is removed.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { answerText, Backend } from "./backend.ts";
import { serveHalf } from "./halting-server.ts";

describe("software update", { timeout: 300_000 }, () => {
  let backend: Backend;

  before(async () => {
    backend = await Backend.start();
  });
  after(() => backend[Symbol.asyncDispose]());

  const place = (name: string) => join(backend.device.directory, name);
  const waiting = (name: string) =>
    backend.scripted(name, `echo $$ > ${place(name)}; while ! [ -e ${place(`${name}.go`)} ]; do sleep 0.02; done`);
  const begun = (name: string) => waitFor(`the script of ${name}`, () => existsSync(place(name)));
  const letGo = (name: string) => writeFileSync(place(`${name}.go`), "");
  const cancel = (id: string, operation = "cancel") =>
    backend.device.command(
      operation,
      { correlationId: id },
      { feature: "SoftwareUpdatable", requestId: `cancel-${id}`, correlationId: "h" },
    );
  const heard = (id: string, line: string) =>
    waitFor(`${line}: ${backend.sequence(id)}`, () => backend.sequence(id).includes(line));
  const isAlive = (pid: string) =>
    existsSync(`/proc/${pid.trim()}`) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid.trim()}/stat`, "utf8"));

  test("cancels an operation whose script is running: the script ends, and every module that has no end gets one", async () => {
    await backend.install("c1", backend.scripted("before", "true"), waiting("running"), waiting("never"));
    await begun("running");
    await heard("c1", "running INSTALLING 0");
    await backend.install("c2", backend.scripted("next", "true"));
    await cancel("c1");
    assert.equal(await backend.device.text("command///res/cancel-c1/204"), answerText("cancel", "h"));
    await backend.finished("c1", 3);
    assert.deepEqual(backend.sequence("c1").slice(-4), [
      "running INSTALLING 0",
      "CANCELING_WAITING",
      "running FINISHED_CANCELED the operation was canceled",
      "never FINISHED_CANCELED the operation was canceled",
    ]);
    assert.ok(!isAlive(readFileSync(place("running"), "utf8")));
    assert.equal((await backend.finished("c2")).at(-1), "next FINISHED_SUCCESS");
    assert.ok(!existsSync(place("never")));
  });

  test("cancels an operation that waits for its turn: nothing of it happens, and the one before goes on", async () => {
    await backend.install("c3", waiting("first"));
    await begun("first");
    await backend.install("c4", waiting("second"));
    await backend.device.texts("command///res/r-c4/204", 1);
    await cancel("c4");
    assert.deepEqual(await backend.finished("c4"), [
      "CANCELING_WAITING",
      "FINISHED_CANCELED the operation was canceled before it began",
    ]);
    letGo("first");
    assert.equal((await backend.finished("c3")).at(-1), "first FINISHED_SUCCESS");
    assert.ok(!existsSync(place("second")));
  });

  test("cancels a download", async () => {
    await using half = await serveHalf(Buffer.alloc(100_000, "x"));
    const module = backend.module("half", [{ filename: "x", content: Buffer.alloc(100_000, "x"), url: half.url }]);
    await backend.download("c5", module);
    await waitFor("the request", () => half.ranges.length > 0);
    await cancel("c5", "cancelRemove");
    assert.deepEqual((await backend.finished("c5")).slice(-2), [
      "CANCELING_WAITING",
      "half FINISHED_CANCELED the operation was canceled",
    ]);
    await waitFor(
      "the end of the folder",
      () => !existsSync(place("data/plugins/software-update/download")) || folders().length === 0,
    );
  });

  const folders = () =>
    [...new Set(backend.device.host.lines().map(({ run }) => String(run)))].filter((run) =>
      existsSync(place(`data/plugins/software-update/download/${run}`)),
    );

  test("refuses to cancel what is not there", async () => {
    await cancel("nothing");
    await waitFor("the refusal", () => backend.sequence("nothing").length === 2);
    assert.deepEqual(backend.sequence("nothing"), [
      "CANCELING_WAITING",
      "CANCEL_REJECTED no such operation waits or is under way",
    ]);
    await backend.device.command("cancel", {}, { feature: "SoftwareUpdatable", requestId: "unnamed" });
    await backend.device.texts("command///res/unnamed/400", 1);
  });

  const dependency = (name: string) => ({ group: "g", name, version: "1.0" });
  const declares = (name: string) =>
    `mkdir installed-deps; printf 'group=g\\nname=${name}\\nversion=1.0\\n' > installed-deps/${name}.prs`;
  const removes = (name: string, script: string) => `cat > remove.sh <<'END'\n${script}\nEND\n${declares(name)}`;
  const remove = async (id: string, ...names: string[]) => {
    await backend.order("remove", id, { software: names.map(dependency) });
    await backend.finished(id, names.length);
    return backend.device
      .on("e")
      .filter(({ text }) => text.includes(`"correlationId":"${id}"`))
      .map(
        ({ text }) =>
          JSON.parse(text) as {
            path: string;
            value: {
              status: string;
              software: [{ name: string }];
              statusCode?: string;
              message?: string;
              progress?: number;
            };
          },
      )
      .map(({ path, value: { status, software, statusCode, message, progress } }) =>
        [software[0].name, `${path.endsWith("lastFailedOperation") ? "!" : ""}${status}`, progress, statusCode, message]
          .filter((part) => part !== undefined)
          .join(" "),
      );
  };
  const installed = () => {
    const said = backend.device.on("e").filter(({ text }) => text.includes('/status/installedDependencies"'));
    return Object.values((JSON.parse(said.at(-1)!.text) as { value: Record<string, { name: string }> }).value).map(
      ({ name }) => name,
    );
  };

  test("removes software: runs its remove.sh, if it brought one, and forgets it", async () => {
    const script = `echo removed > ${place("removed")}; printf 'progress=80\\nmessage=going\\n' > status; sleep 0.1`;
    await backend.install(
      "i1",
      backend.scripted("tool", removes("tool", script)),
      backend.scripted("quiet", declares("quiet")),
    );
    await backend.finished("i1", 2);
    assert.deepEqual(installed(), ["quiet", "tool"]);
    assert.deepEqual(await remove("r1", "tool", "quiet"), [
      "tool STARTED",
      "tool REMOVING 0",
      "tool REMOVING 80 going",
      "tool REMOVED 100",
      "tool FINISHED_SUCCESS 80 going",
      "quiet STARTED",
      "quiet REMOVING 0",
      "quiet REMOVED 100",
      "quiet FINISHED_SUCCESS",
    ]);
    assert.ok(existsSync(place("removed")));
    assert.deepEqual(installed(), []);
  });

  test("does not remove what is not installed, and keeps what cannot be removed", async () => {
    const missing = "the software is not installed";
    assert.deepEqual(await remove("r2", "tool"), [
      "tool STARTED",
      `tool !FINISHED_ERROR ${missing}`,
      `tool FINISHED_ERROR ${missing}`,
    ]);
    await backend.install("i2", backend.scripted("stubborn", removes("stubborn", "exit 3")));
    await backend.finished("i2");
    const failure = "3 fail to execute remove script";
    assert.deepEqual((await remove("r3", "stubborn")).slice(-2), [
      `stubborn !FINISHED_ERROR ${failure}`,
      `stubborn FINISHED_ERROR ${failure}`,
    ]);
    assert.deepEqual(installed(), ["stubborn"]);
    assert.ok(backend.device.said("SOFTWARE_UPDATE_NOT_INSTALLED"));
  });
});
