// The wire, to the byte: what a backend sends and hears. On both brokers, with MQTT and HTTP alone.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { endOfTar, tarOf } from "../archive/tar-bytes.ts";
import { zipOf } from "../archive/zip-bytes.ts";
import { brokers } from "../things/device.ts";
import { answerText, Backend, fetched, modified, statusTexts } from "./backend.ts";

const definition = ["org.eclipse.hawkbit.swupdatable:SoftwareUpdatable:2.0.0"];
const status = { softwareModuleType: "software", lastOperation: null, lastFailedOperation: null };

const script = (text: string, name = "install.sh") => ({ name, content: text, mode: 0o755 });
const tarGz = (...entries: { name: string; content: string }[]) =>
  gzipSync(Buffer.concat([tarOf(...entries), endOfTar]));

for (const { name, skip, embedded } of brokers)
  describe(`software update on ${name}`, { skip, timeout: 300_000 }, () => {
    let backend: Backend;
    let dependencies = {};

    before(async () => {
      backend = await Backend.start({ embedded });
    });
    after(() => backend[Symbol.asyncDispose]());

    /** Until now. */
    const mark = () => backend.device.heard.length;
    const installedDependencies = () => modified("/properties/status/installedDependencies", dependencies);
    const finished = (id: string, module: string, more: object = {}) => [
      ...statusTexts(
        id,
        module,
        ...fetched,
        ["INSTALLING", { progress: 0 }],
        ["INSTALLED", { progress: 100, ...more }],
      ),
      installedDependencies(),
      ...statusTexts(id, module, ["FINISHED_SUCCESS", more]),
    ];

    if (!embedded)
      test("the device asks who it is, and announces the feature", async () => {
        const announced = modified("", { definition, properties: { status } });
        await waitFor("the announcement", () => backend.device.on("e").length > 0);
        assert.deepEqual(backend.device.on("e")[0]?.text, announced);
        assert.equal(backend.device.on("edge/thing/request")[0]?.text, "");
        assert.ok(backend.device.heard.every(({ retain }) => !retain));
      });

    test("an archive is fetched, unpacked, installed, and reported stage by stage", async () => {
      const since = mark();
      const content = tarGz(script("test -f data/value && [ $(cat data/value) = 7 ]"), {
        name: "data/value",
        content: "7",
      });
      await backend.install("i1", backend.module("a", [{ filename: "a.tar.gz", content }]));
      await backend.finished("i1");
      const answers = await backend.device.texts("command///res/r-i1/204", 1);
      assert.deepEqual(answers, [answerText("install", "h-i1")]);
      assert.deepEqual(backend.texts(since), finished("i1", "a"));
    });

    test("a zip is unpacked as well, and a script that is no archive is run where it is", async () => {
      const since = mark();
      const zip = zipOf([{ name: "install.sh", content: "true\n" }]);
      await backend.install(
        "i2",
        backend.module("z", [{ filename: "z.zip", content: zip }]),
        backend.module("b", [{ filename: "install.sh", content: "true\n" }]),
      );
      await backend.finished("i2", 2);
      assert.deepEqual(backend.texts(since), [...finished("i2", "z"), ...finished("i2", "b")]);
    });

    test("what the script writes into its file status is reported, and repeated at the end", async () => {
      const since = mark();
      const inPlace =
        "printf 'progress=30\\r\\nmessage=one\\n' > status; sleep 0.7; printf 'statusCode=S2\\nmessage=two=2\\nprogress=60\\nother=x\\n' > status";
      const renamed = "printf 'message=moved\\nprogress=70\\n' > new; mv new status; sleep 0.2";
      await backend.install("i3", backend.scripted("p", inPlace), backend.scripted("r", renamed));
      await backend.finished("i3", 2);
      const said = backend.statuses("i3").filter(({ value }) => value.status === "INSTALLING");
      const ofModule = (module: string) =>
        said
          .filter(({ value }) => value.softwareModule?.name === module)
          .map(({ value: { progress, message, statusCode } }) => [progress, message, statusCode]);
      assert.deepEqual(ofModule("p"), [
        [0, undefined, undefined],
        [30, "one", undefined],
        [60, "two=2", "S2"],
      ]);
      assert.deepEqual(ofModule("r"), [
        [0, undefined, undefined],
        [70, "moved", undefined],
      ]);
      const texts = backend.texts(since);
      for (const expected of [
        ...statusTexts("i3", "p", ["INSTALLED", { progress: 100, message: "two=2", statusCode: "S2" }]),
        ...statusTexts("i3", "p", ["FINISHED_SUCCESS", { progress: 60, message: "two=2", statusCode: "S2" }]),
        ...statusTexts("i3", "r", ["INSTALLED", { progress: 100, message: "moved" }]),
        ...statusTexts("i3", "r", ["FINISHED_SUCCESS", { progress: 70, message: "moved" }]),
      ])
        assert.ok(texts.includes(expected), `${expected}\n${texts.join("\n")}`);
    });

    test("a module that fails is reported twice, first as failed, and the next ones are installed", async () => {
      const since = mark();
      const failing = "printf 'progress=50\\nmessage=halfway\\nstatusCode=X\\n' > status; sleep 0.1; exit 7";
      await backend.install("i4", backend.scripted("f", failing), backend.scripted("g", "true"));
      await backend.finished("i4", 2);
      const failure = { progress: 50, message: "fail to execute install script", statusCode: "7" };
      assert.deepEqual(backend.texts(since), [
        ...statusTexts("i4", "f", ...fetched, ["INSTALLING", { progress: 0 }]),
        ...statusTexts("i4", "f", ["FINISHED_ERROR", failure, "lastFailedOperation"], ["FINISHED_ERROR", failure]),
        ...finished("i4", "g"),
      ]);
    });

    test("each way to fail has its message, and its last status before", async () => {
      const { module, scripted } = { module: backend.module.bind(backend), scripted: backend.scripted.bind(backend) };
      const install = { filename: "install.sh", content: "true" };
      const plain = { "artifact-type": "plain" };
      const broken = { SHA256: "0".repeat(64) };
      const cases: [name: string, module: object, last: string, message: string, code?: string][] = [
        [
          "missing",
          module("missing", [{ ...install, url: `${backend.server.url}/nothing` }], plain),
          "DOWNLOADING 0",
          "fail to download module",
        ],
        [
          "wrong",
          module("wrong", [{ ...install, checksums: broken }], plain),
          "DOWNLOADING 0",
          "fail to download module",
        ],
        ["large", module("large", [{ ...install, size: 1 }], plain), "DOWNLOADING 0", "fail to download module"],
        [
          "weak",
          module("weak", [{ ...install, checksums: { MD5: "b326b5062b2f0e69046810717534cb09" } }], plain),
          "DOWNLOADING 0",
          "fail to download module",
        ],
        [
          "climbing",
          module("climbing", [{ ...install, filename: "../../../x" }], plain),
          "DOWNLOADING 0",
          "fail to download module",
        ],
        [
          "two",
          module("two", [install, { ...install, filename: "more" }]),
          "INSTALLING 0",
          "archive modules cannot have multiple artifacts",
        ],
        [
          "torn",
          module("torn", [{ filename: "a.tar.gz", content: tarGz(script("true")).subarray(0, 60) }]),
          "INSTALLING 0",
          "fail to extract module archive",
        ],
        [
          "escaping",
          module("escaping", [{ filename: "a.tar.gz", content: tarGz({ name: "../out", content: "x" }) }]),
          "INSTALLING 0",
          "fail to extract module archive",
        ],
        [
          "absent",
          module("absent", [{ filename: "other.sh", content: "true" }], plain),
          "INSTALLING 0",
          "fail to execute install script",
          "2",
        ],
        ["killed", scripted("killed", "kill -9 $$"), "INSTALLING 0", "fail to execute install script", "-1"],
        [
          "leading-out",
          module("leading-out", [install], { ...plain, "installed-deps": "../.." }),
          "INSTALLING 0",
          "fail to save installed dependencies",
        ],
        [
          "lacking",
          scripted("lacking", "mkdir installed-deps; echo name=x > installed-deps/x.prs"),
          "INSTALLED 100",
          "fail to refresh installed dependencies",
        ],
      ];
      await backend.install("i5", ...cases.map(([, given]) => given as never));
      await backend.finished("i5", cases.length);
      for (const [name, , last, message, code] of cases) {
        const sequence = backend.sequence("i5").filter((line) => line.startsWith(`${name} `));
        const end = [...(code === undefined ? [] : [code]), message].join(" ");
        const [before, first, second, ...more] = sequence.slice(-3);
        const wanted = [`${name} ${last}`, `${name} !FINISHED_ERROR ${end}`, `${name} FINISHED_ERROR ${end}`];
        // The shell says what it cannot open with 2 or 127.
        assert.deepEqual(
          [before, first, second].map((line) => line?.replace(" 127 ", " 2 ")),
          wanted,
          name,
        );
        assert.deepEqual(more, []);
      }
    });

    test("an operation with an artifact that has no link or no checksum fails as a whole, before anything begins", async () => {
      const since = mark();
      const good = backend.scripted("good", "true");
      const {
        artifacts: [artifact],
      } = good as unknown as { artifacts: [Record<string, unknown>] };
      const bad = { softwareModule: { name: "bad", version: "1.0" }, artifacts: [{ ...artifact, download: {} }] };
      await backend.install("i6", good, bad as never);
      await backend.finished("i6", 2);
      const failure = { message: "Fail to save operation data." };
      const failed = (module: string) =>
        statusTexts("i6", module, ["FINISHED_ERROR", failure, "lastFailedOperation"], ["FINISHED_ERROR", failure]);
      assert.deepEqual(backend.texts(since), [...failed("good"), ...failed("bad")]);
      await backend.install("i7", { ...bad, artifacts: [{ ...artifact, checksums: { SHA3: "00" } }] } as never);
      assert.deepEqual(await backend.finished("i7"), [
        "bad !FINISHED_ERROR Fail to save operation data.",
        "bad FINISHED_ERROR Fail to save operation data.",
      ]);
    });

    test("a download is kept, and the installation takes what is kept", async () => {
      const since = mark();
      const given = backend.scripted("kept", "true");
      const other = backend.scripted("other", "true");
      const failing = backend.module("failing", [
        { filename: "x", content: "x", checksums: { SHA256: "1".repeat(64) } },
      ]);
      await backend.download("d1", given, failing, other);
      await backend.finished("d1", 3);
      await waitFor(
        "the stored files",
        () => backend.sequence("d1").filter((line) => line.includes("STORED")).length >= 2,
      );
      const failure = { message: "fail to download module" };
      const stored = (module: string, path: string) =>
        modified("/properties/status/lastOperation", {
          correlationId: "d1",
          status: "DOWNLOADED_FILE_STORED",
          softwareModule: { name: module, version: "1.0", path },
        });
      assert.deepEqual(backend.texts(since), [
        ...statusTexts("d1", "kept", ...fetched, ["FINISHED_SUCCESS"]),
        ...statusTexts("d1", "failing", ["STARTED"], ["DOWNLOADING", { progress: 0 }]),
        ...statusTexts(
          "d1",
          "failing",
          ["FINISHED_ERROR", failure, "lastFailedOperation"],
          ["FINISHED_ERROR", failure],
        ),
        ...statusTexts("d1", "other", ...fetched, ["FINISHED_SUCCESS"]),
        stored("kept", "modules/0"),
        stored("other", "modules/1"),
      ]);
      assert.deepEqual(await backend.device.texts("command///res/r-d1/204", 1), [answerText("download", "h-d1")]);
      const again = mark();
      await backend.install("i8", given);
      await backend.finished("i8");
      assert.deepEqual(backend.texts(again), finished("i8", "kept"));
      assert.equal(backend.server.requests.get("kept-install.sh"), 1);
      // Taken once, it is fetched again.
      await backend.install("i9", given);
      await backend.finished("i9");
      assert.equal(backend.server.requests.get("kept-install.sh"), 2);
    });

    test("without a size only the beginning and the end of a download are reported", async () => {
      const since = mark();
      const install = { filename: "install.sh", content: "true", size: 0 };
      await backend.install("i10", backend.module("n", [install], { "artifact-type": "plain" }));
      await backend.finished("i10");
      const [started, begun, , downloaded] = fetched;
      assert.deepEqual(backend.texts(since).slice(0, 3), statusTexts("i10", "n", started, begun, downloaded));
    });

    test("what a module says that it has installed is reported as a whole", async () => {
      const say = (file: string, ...lines: string[]) => `printf '${lines.join("\\n")}\\n' > installed-deps/${file}`;
      const first = [
        "mkdir -p installed-deps/inner",
        say("b.prs", "group=g", "name=b", "version=1", "type=t"),
        say("inner/a.prs", "group=g", "name=a", "version=2"),
        say("notes.txt", "group=g", "name=no", "version=0"),
      ];
      const second = ["mkdir -p mine/inner", "printf 'group=h\\nname=c\\nversion=3\\n' > mine/inner/c.prs"];
      await backend.install("i11", backend.scripted("d", first.join("; ")));
      await backend.finished("i11");
      dependencies = {
        0: { group: "g", name: "b", version: "1", type: "t" },
        1: { group: "g", name: "a", version: "2" },
      };
      assert.equal(backend.texts(0).at(-2), installedDependencies());
      const install = { filename: "install.sh", content: second.join("; ") };
      const named = { "artifact-type": "plain", "installed-deps": "mine" };
      await backend.install("i12", backend.module("e", [install], named));
      await backend.finished("i12");
      // A folder takes the place of the one of its name.
      dependencies = {
        0: { group: "g", name: "b", version: "1", type: "t" },
        1: { group: "h", name: "c", version: "3" },
      };
      assert.equal(backend.texts(0).at(-2), installedDependencies());
    });

    test("no value, and no modules, are accepted, and nothing follows", async () => {
      const since = mark();
      await backend.device.command("install", null, { feature: "SoftwareUpdatable", requestId: "none" });
      await backend.order("install", "empty", { softwareModules: [] });
      await backend.order("download", "nulls", { softwareModules: null, weight: null, forced: null, metadata: null });
      for (const id of ["none", "r-empty", "r-nulls"]) await backend.device.texts(`command///res/${id}/204`, 1);
      await backend.install("i13", backend.scripted("after", "true"));
      await backend.finished("i13");
      assert.deepEqual(backend.texts(since), finished("i13", "after"));
    });

    test("values of the wrong type are answered 400, and nothing follows", async () => {
      const since = mark();
      const invalid: Record<string, object> = {
        text: { softwareModules: "all" },
        null: { softwareModules: [null] },
        unnamed: { softwareModules: [{ artifacts: [] }] },
        artifact: { softwareModules: [{ softwareModule: { name: "x", version: "1" }, artifacts: [null] }] },
        size: { softwareModules: [{ softwareModule: {}, artifacts: [{ filename: "a", size: "1" }] }] },
        metadata: { softwareModules: [{ softwareModule: {}, metaData: { a: 1 } }] },
      };
      for (const [id, value] of Object.entries(invalid)) await backend.order("install", id, value);
      for (const id of Object.keys(invalid)) {
        const [text] = await backend.device.texts(`command///res/r-${id}/400`, 1);
        const { message } = (JSON.parse(text!) as { value: { message: string } }).value;
        assert.equal(
          text,
          answerText("install", `h-${id}`, 400, { error: "messages:parameter.invalid", status: 400, message }),
        );
        assert.ok(message.length > 0);
      }
      assert.deepEqual(backend.texts(since), []);
    });

    test("names of members are read in any case, those of maps as they are", async () => {
      const good = backend.scripted("case", "true") as Record<string, never>;
      const [artifact] = good.artifacts as unknown as [Record<string, unknown>];
      const { filename, size, checksums, download } = artifact as Record<string, { HTTP: { url: string } }>;
      const given = {
        CORRELATIONID: "i14",
        SoftwareModules: [
          {
            softwaremodule: { Name: "case", VERSION: "1.0" },
            Artifacts: [
              { FileName: filename, Size: size, Checksums: checksums, DOWNLOAD: { HTTP: { URL: download!.HTTP.url } } },
            ],
            metadata: { "artifact-type": "plain" },
          },
        ],
      };
      const send = (value: object, requestId: string) =>
        backend.device.command("install", value, { feature: "SoftwareUpdatable", requestId, correlationId: "c" });
      await send(given, "cased");
      assert.equal((await backend.finished("i14")).at(-1), "case FINISHED_SUCCESS");
      const [module] = given.SoftwareModules;
      const other = [{ ...module, Artifacts: [{ ...module!.Artifacts[0], Checksums: { sha256: "00" } }] }];
      await send({ ...given, CORRELATIONID: "i15", SoftwareModules: other }, "other");
      assert.equal((await backend.finished("i15")).at(-1), "case FINISHED_ERROR Fail to save operation data.");
    });

    test("commands come by the device's own id and in the short forms, and without a request id they are dropped", async () => {
      const send = async (topic: string, id: string, more: object = {}) => {
        const value = { correlationId: id, softwareModules: [backend.scripted(id, "true")] };
        await backend.device.command("install", value, {
          feature: "SoftwareUpdatable",
          topic,
          correlationId: id,
          ...more,
        });
      };
      const own = "org.example:gateway-1";
      const ways = {
        [`command//${own}/req/1/x`]: `command//${own}/res/1/204`,
        "c///q/2/x": "c///s/2/204",
        [`c//${own}/q/3/x`]: `c//${own}/s/3/204`,
      };
      for (const [index, [topic, answer]] of Object.entries(ways).entries()) {
        await send(topic, `way-${index}`);
        assert.equal(await backend.device.text(answer), answerText("install", `way-${index}`));
        await backend.finished(`way-${index}`);
      }
      const since = mark();
      await send("command///req//install", "dropped");
      await send("command///req/4/install", "quiet", { headers: { "response-required": false } });
      assert.equal((await backend.finished("quiet")).at(-1), "quiet FINISHED_SUCCESS");
      assert.deepEqual(backend.statuses("dropped"), []);
      assert.ok(!backend.device.heard.slice(since).some(({ topic }) => topic.includes("/res/")));
    });

    test("operations and features that are not there are met with silence", async () => {
      const since = mark();
      await backend.order("upgrade", "unknown", {});
      await backend.device.command("install", {}, { feature: "AutoUploadable", requestId: "elsewhere" });
      await backend.install("i16", backend.scripted("then", "true"));
      await backend.finished("i16");
      const answers = backend.device.heard.slice(since).filter(({ topic }) => topic.includes("/res/"));
      assert.deepEqual(
        answers.map(({ topic }) => topic),
        ["command///res/r-i16/204"],
      );
    });
  });
