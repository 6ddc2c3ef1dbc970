// What outlasts kill -9, a restart of the broker and SIGTERM in the middle of an operation.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { needs } from "../../support/parts.ts";
import { Backend, modified, once, statusTexts } from "./backend.ts";
import { serveHalf } from "./halting-server.ts";

describe("an operation in which something breaks", { skip: needs("mosquitto"), timeout: 300_000 }, () => {
  let backend: Backend;

  before(async () => {
    backend = await Backend.start({ embedded: false });
  });
  after(() => backend[Symbol.asyncDispose]());

  const place = (name: string) => join(backend.device.directory, name);
  /** Writes down that it begins and ends, and waits in between for the file `NAME.go`. */
  const gated = (name: string) => {
    const file = place(name);
    const wait = `while ! [ -e '${file}.go' ]; do sleep 0.02; done`;
    return backend.scripted(name, `echo begun >> '${file}'; ${wait}; echo ended >> '${file}'`);
  };
  const letGo = (name: string) => writeFileSync(place(`${name}.go`), "");
  const did = (name: string) => (existsSync(place(name)) ? readFileSync(place(name), "utf8").trim().split("\n") : []);
  const heard = (id: string, line: string) =>
    waitFor(`${line} of ${id}\n${backend.device.host.log.slice(-2000)}`, () => backend.sequence(id).includes(line));
  const kill = async () => {
    await backend.device.host.kill();
    await backend.device.startHost();
  };
  const install = (name: string) =>
    [
      "STARTED",
      "DOWNLOADING 0",
      "DOWNLOADING 100",
      "DOWNLOADED 100",
      "INSTALLING 0",
      "INSTALLED 100",
      "FINISHED_SUCCESS",
    ].map((status) => `${name} ${status}`);

  test("kill -9 in each phase: every module finishes once, and the backend sees one sequence", async () => {
    const content = Buffer.concat([Buffer.from("#"), Buffer.alloc(1_000_000, "x"), Buffer.from("\n")]);
    await using half = await serveHalf(content);
    const [a, b, c] = ["a", "b", "c"].map(gated) as [ReturnType<typeof gated>, object, object];
    const more = backend.artifact({ filename: "more", content, url: half.url });
    const modules = [{ ...a, artifacts: [...(a.artifacts as object[]), more] }, b, c];
    await backend.order("install", "k1", { softwareModules: modules });
    await waitFor("half of the download", () =>
      backend.statuses("k1").some(({ value }) => value.status === "DOWNLOADING" && (value.progress ?? 0) >= 45),
    );
    await backend.device.host.kill();
    half.goOn();
    await backend.device.startHost();
    await waitFor("the script of a", () => did("a").length === 1);
    await kill();
    letGo("a");
    await heard("k1", "a FINISHED_SUCCESS");
    await kill();
    await heard("k1", "b DOWNLOADED 100");
    await kill();
    letGo("b");
    letGo("c");
    await backend.finished("k1", 3);
    assert.deepEqual(once(backend.sequence("k1")), ["a", "b", "c"].flatMap(install));
    // The first script was cut off and began again; the rest was fetched only.
    assert.deepEqual(
      [did("a"), did("c")],
      [
        ["begun", "begun", "ended"],
        ["begun", "ended"],
      ],
    );
    assert.deepEqual(half.ranges[0], undefined);
    assert.match(half.ranges[1]!, /^bytes=[1-9]/);
    const progress = backend.statuses("k1").flatMap(({ value }) => (value.status === "DOWNLOADING" ? [value] : []));
    const ofFirst = progress
      .filter(({ softwareModule }) => softwareModule?.name === "a")
      .map((value) => value.progress!);
    assert.deepEqual(
      ofFirst,
      ofFirst.toSorted((one, other) => one - other),
    );
  });

  test("a restart of the broker loses no status, keeps their order, and brings the subscriptions back", async () => {
    const { device } = backend;
    await backend.install("b1", gated("d"), gated("e"));
    await waitFor("the script of d", () => did("d").length === 1);
    await heard("b1", "d INSTALLING 0");
    const since = device.heard.length;
    await device.mosquitto!.stop();
    letGo("d");
    await waitFor("the script of e", () => did("e").length === 1);
    await device.mosquitto!.restart();
    letGo("e");
    await backend.finished("b1", 2);
    assert.deepEqual(once(backend.sequence("b1")), ["d", "e"].flatMap(install));
    const texts = backend.texts(since);
    const at = texts.findIndex((text) => text.includes('"path":"/features/SoftwareUpdatable"'));
    const { lastOperation } = (
      JSON.parse(texts[at]!) as { value: { properties: { status: { lastOperation: object } } } }
    ).value.properties.status;
    // What left before the connection ended, or the next one, and not what waits behind it.
    const left = [
      ["INSTALLING", 0],
      ["INSTALLED", 100],
    ].map(([status, progress]) => ({
      correlationId: "b1",
      status,
      softwareModule: { name: "d", version: "1.0" },
      progress,
    }));
    assert.ok(
      left.some((value) => JSON.stringify(value) === JSON.stringify(lastOperation)),
      texts[at] ?? "no announcement",
    );
    assert.equal(texts[at + 1], statusTexts("b1", "d", ["INSTALLED", { progress: 100 }])[0]);
    assert.equal(device.on("edge/thing/request").length, device.on("edge/thing/response").length);
    letGo("f");
    await backend.install("b2", gated("f"));
    assert.deepEqual(await backend.finished("b2"), install("f"));
  });

  test("SIGTERM suspends an operation, and the next start goes on with it", async () => {
    await backend.install("s1", gated("g"), gated("h"));
    await waitFor("the script of g", () => did("g").length === 1);
    await backend.install("s2", gated("i"));
    await backend.device.texts("command///res/r-s2/204", 1);
    const stopped = backend.device.host.stop();
    await new Promise((resolve) => setTimeout(resolve, 50));
    letGo("g");
    await stopped;
    // It was let end, and counts.
    assert.deepEqual(did("g"), ["begun", "ended"]);
    await backend.device.startHost();
    letGo("h");
    letGo("i");
    await backend.finished("s1", 2);
    await backend.finished("s2");
    assert.deepEqual(once(backend.sequence("s1")), ["g", "h"].flatMap(install));
    assert.deepEqual(once(backend.sequence("s2")), install("i"));
    assert.deepEqual(did("g"), ["begun", "ended"]);
  });

  test("after all that the announcement says how the last operation went", async () => {
    const since = backend.device.heard.length;
    await kill();
    const announced = await waitFor("the announcement", () => backend.texts(since)[0]);
    const lastOperation = {
      correlationId: "s2",
      status: "FINISHED_SUCCESS",
      softwareModule: { name: "i", version: "1.0" },
    };
    const status = {
      softwareModuleType: "software",
      lastOperation,
      lastFailedOperation: null,
      installedDependencies: {},
    };
    const definition = ["org.eclipse.hawkbit.swupdatable:SoftwareUpdatable:2.0.0"];
    assert.equal(announced, modified("", { definition, properties: { status } }));
  });
});
