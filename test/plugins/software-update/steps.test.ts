// The steps one by one, where the wire does not show all of what they do.

import assert from "node:assert/strict";
import { createCipheriv, randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Json, KeyValue, Step } from "../../../host/sdk.ts";
import {
  numbered,
  parseDependency,
  readDependencies as readFrom,
} from "../../../plugins/software-update/dependencies.ts";
import type { Config, DecryptInput } from "../../../plugins/software-update/plugin.types.ts";
import { Reported } from "../../../plugins/software-update/reported.ts";
import { decrypt } from "../../../plugins/software-update/steps/decrypt.ts";
import { findInstalled } from "../../../plugins/software-update/steps/find-installed.ts";
import { keepRemover } from "../../../plugins/software-update/steps/keep-remover.ts";
import { listUnfinished } from "../../../plugins/software-update/steps/list-unfinished.ts";
import { readDependencies } from "../../../plugins/software-update/steps/read-dependencies.ts";
import { report } from "../../../plugins/software-update/steps/report.ts";
import { reuse } from "../../../plugins/software-update/steps/reuse.ts";
import { saveDependencies } from "../../../plugins/software-update/steps/save-dependencies.ts";
import { stage } from "../../../plugins/software-update/steps/stage.ts";
import { store } from "../../../plugins/software-update/steps/store.ts";
import { Storage } from "../../../plugins/software-update/storage.ts";
import { worthSaying } from "../../../plugins/software-update/thinning.ts";
import { Turns } from "../../../plugins/software-update/turns.ts";
import type { Report } from "../../../plugins/things/service.ts";
import { stepContext } from "../../support/step-context.ts";
import { treeOf } from "../../support/tree-of.ts";

let folder: string;
let storage: Storage;
const turns = new Turns();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gantry-update-"));
  storage = new Storage("kept", folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (...names: string[]) => join(folder, ...names);
/** Files by their paths. */
function make(files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), content);
  }
}

/** Runs the step in a run of this id, with the defaults that the manifest gives. */
async function run<Input, Output>(
  step: Step<Input, Output>,
  input: Partial<Input>,
  more: { run?: string; key?: string } = {},
) {
  const { run: id = "run-1", key = "key-1" } = more;
  using context = stepContext({ idempotencyKey: key, run: { id, workflow: "w", retryOf: null } });
  return (await step.run(input as Input, context)) as Output;
}

const config: Config = {
  storageLocation: "kept",
  featureId: "SoftwareUpdatable",
  moduleType: "software",
  artifactType: "archive",
  downloadRetryCount: 0,
  downloadRetryInterval: "5s",
  installDirs: [],
  mode: "strict",
  install: [],
  correlationKey: "correlationId",
  allowWeakChecksums: false,
};
const artifact = { filename: "a.zip", size: 3, checksums: { SHA256: "00" }, download: { HTTP: { url: "http://x/" } } };
const module = { softwareModule: { name: "m", version: "1" }, artifacts: [artifact] };

describe("stage", () => {
  test("says of each artifact where it comes from, the best checksum, and what is before it", async () => {
    const checksums = { MD5: "m", SHA1: "s", SHA256: "" };
    const download = { FILE: { url: "/a" }, HTTP: null, HTTPS: { url: "https://x/" } };
    const many = {
      ...module,
      artifacts: [artifact, { ...artifact, size: -1 }, { filename: "b", size: 5, checksums, download }],
    };
    const { modules, directory } = await run(stage(config, storage), { modules: [many], correlationId: "c" });
    assert.equal(directory, at("kept/download/run-1"));
    assert.ok(statSync(at("kept/download/run-1/0")).isDirectory());
    const [{ id, artifacts, sizeBytes, archive, workDirectory, command, isLocal }] = modules as [(typeof modules)[0]];
    assert.deepEqual(id, { index: 0, name: "m", version: "1", correlationId: "c" });
    assert.deepEqual([sizeBytes, archive, workDirectory, isLocal], [8, null, at("kept/download/run-1/0"), false]);
    assert.deepEqual(
      artifacts.map((one) => [one.url, one.checksums, one.offsetBytes]),
      [
        ["http://x/", { SHA256: "00" }, 0],
        ["http://x/", { SHA256: "00" }, 3],
        ["https://x/", { SHA1: "s" }, 3],
      ],
    );
    assert.deepEqual(command, ["/bin/sh", "install.sh"]);
  });

  test("takes a file of this device in place, unless it is to be copied or unpacked", async () => {
    const local = { ...artifact, filename: "install.sh", download: { FILE: { url: "/x/install.sh" } } };
    const cases: [metaData: Record<string, string>, inPlace: boolean, script: number][] = [
      [{ "artifact-type": "plain" }, true, 0],
      [{ "artifact-type": "plain", "copy-artifacts": "*" }, false, -1],
      [{ "artifact-type": "plain", "copy-artifacts": "a,b:install.sh" }, false, -1],
      [{ "artifact-type": "plain", "copy-artifacts": "install" }, true, 0],
      [{}, false, -1],
    ];
    for (const [metaData, inPlace, script] of cases) {
      const { modules } = await run(stage(config, storage), { modules: [{ ...module, artifacts: [local], metaData }] });
      const [{ artifacts, scriptArtifact, sizeBytes }] = modules as [(typeof modules)[0]];
      assert.deepEqual([artifacts[0]!.inPlace, scriptArtifact, sizeBytes], [inPlace, script, inPlace ? 0 : 3]);
    }
  });

  test("fails where a link or checksum is missing, and where its folder cannot be made", async () => {
    for (const broken of [{}, { ...artifact, download: null }, { ...artifact, checksums: { CRC: "1" } }])
      await assert.rejects(run(stage(config, storage), { modules: [{ ...module, artifacts: [broken] }] }), {
        code: "SOFTWARE_UPDATE_ARTIFACT_INCOMPLETE",
      });
    const nowhere = new Storage("/dev/null/below", folder);
    await assert.rejects(run(stage(config, nowhere), { modules: [module] }), {
      code: "SOFTWARE_UPDATE_STORAGE_FAILED",
    });
  });
});

describe("kept downloads", () => {
  const id = { name: "m", version: "1" };
  const take = (filenames: string[], name = "m") =>
    run(reuse(storage, turns), { module: { ...id, name }, directory: at("taken"), filenames });
  const keep = (directory: string, key: string, name = "m") =>
    run(store(storage, turns), { module: { ...id, name }, directory: at(directory) }, { key });

  test("are stored under numbers, found by the module's name and version, and taken once", async () => {
    make({ "one/a": "1", "two/b": "2" });
    assert.deepEqual(await keep("one", "k1"), { path: "kept/modules/0" });
    assert.deepEqual(await keep("two", "k2", "n"), { path: "kept/modules/1" });
    assert.ok(!existsSync(at("one")));
    assert.deepEqual(await take(["a", "missing"]), { files: ["a"] });
    assert.deepEqual(await take(["a"]), { files: [] });
    assert.deepEqual(treeOf(at("taken")), { a: "1" });
    assert.deepEqual(readdirSync(at("kept/modules")), ["1"]);
  });

  test("are stored once, however often the step is repeated, and in place of an older one", async () => {
    make({ "one/a": "1" });
    await keep("one", "k1");
    assert.deepEqual(await keep("one", "k1"), { path: "kept/modules/0" });
    make({ "again/a": "2" });
    assert.deepEqual(await keep("again", "k2"), { path: "kept/modules/1" });
    assert.deepEqual(readdirSync(at("kept/modules")), ["1"]);
    await take(["a"]);
    assert.deepEqual(treeOf(at("taken")), { a: "2" });
  });

  test("of the original are taken as well; of the rest only what is wanted, and no links", async () => {
    make({
      "kept/modules/7/internal-status": "m:1",
      "kept/modules/7/a": "1",
      "kept/modules/7/status": "old",
      secret: "s",
    });
    symlinkSync(at("secret"), at("kept/modules/7/link"));
    const files = ["a", "link", "../../../secret", "internal-status", ".", ""];
    assert.deepEqual(await take(files), { files: ["a"] });
    assert.deepEqual(treeOf(at("taken")), { a: "1" });
    assert.ok(existsSync(at("secret")));
  });
});

describe("decrypt", () => {
  const key = randomBytes(32);
  const iv = randomBytes(16);
  const sealed = (clear: Buffer, isPadded = true) => {
    const cipher = createCipheriv("aes-256-cbc", key, iv).setAutoPadding(isPadded);
    return Buffer.concat([cipher.update(clear), cipher.final()]);
  };
  const open = async (text: string, input: Partial<DecryptInput> = {}) => {
    make({ "sealed/file": text });
    const base = {
      path: at("sealed/file"),
      directory: at("clear"),
      filename: "file",
      fileMode: "0755",
      padding: "auto" as const,
    };
    const form = input.format ?? "hex";
    const secrets = { key: key.toString(form as "hex"), iv: iv.toString(form as "hex"), format: form };
    await run(decrypt(), { ...base, ...secrets, ...input });
    return readFileSync(at("clear/file"));
  };

  test("opens files of any size, in hexadecimal or base64, with line ends anywhere", async () => {
    for (const size of [0, 1, 15, 16, 17, 65_535, 300_000]) {
      const clear = randomBytes(size);
      const hex = sealed(clear).toString("hex");
      assert.deepEqual(await open(hex), clear);
      assert.deepEqual(await open(`${hex.toUpperCase()}\r\n`), clear);
      const base64 = sealed(clear).toString("base64");
      assert.deepEqual(await open(base64.replaceAll(/.{7}/g, "$&\n"), { format: "base64" }), clear);
      assert.deepEqual(await open(base64.replace(/=+$/, ""), { format: "base64" }), clear);
    }
    assert.equal(statSync(at("clear/file")).mode & 0o777, 0o755);
    assert.deepEqual(readdirSync(at("clear")), ["file"]);
  });

  test("leaves what fills up the last block where it is told to, or where it looks like none", async () => {
    const clear = Buffer.from("a text of thirty-two bytes here\n");
    const text = sealed(clear, false).toString("hex");
    assert.deepEqual(await open(text), clear);
    assert.deepEqual(await open(text, { padding: "keep" }), clear);
    await assert.rejects(open(text, { padding: "pkcs7" }), { code: "SOFTWARE_UPDATE_CIPHER_INVALID" });
    const padded = await open(sealed(Buffer.from("short")).toString("hex"), { padding: "keep" });
    assert.deepEqual(padded, Buffer.concat([Buffer.from("short"), Buffer.alloc(11, 11)]));
  });

  test("ends where it is aborted, at any moment, and leaves nothing", async () => {
    const text = sealed(randomBytes(4_000_000)).toString("hex");
    make({ "sealed/large": text });
    for (const afterMs of [0, 0, 1, 2, 4, 8]) {
      using context = stepContext();
      const input = { path: at("sealed/large"), directory: at("clear"), filename: "file", fileMode: "0755" };
      const secrets = {
        key: key.toString("hex"),
        iv: iv.toString("hex"),
        format: "hex" as const,
        padding: "auto" as const,
      };
      const ended = decrypt().run({ ...input, ...secrets }, context);
      setTimeout(() => context.controller.abort(new Error("enough")), afterMs);
      await assert.rejects(Promise.resolve(ended), /enough/);
      assert.deepEqual(readdirSync(at("clear")), []);
    }
  });

  test("says what is wrong with key, vector and text, and leaves nothing", async () => {
    const good = sealed(Buffer.from("text")).toString("hex");
    const wrong: [Partial<DecryptInput>, string, string?][] = [
      [{ iv: null }, "SOFTWARE_UPDATE_KEY_INVALID"],
      [{ key: "00" }, "SOFTWARE_UPDATE_KEY_INVALID"],
      [{ key: "no hexadecimal" }, "SOFTWARE_UPDATE_KEY_INVALID"],
      [{ iv: "00".repeat(15) }, "SOFTWARE_UPDATE_KEY_INVALID"],
      [{}, "SOFTWARE_UPDATE_CIPHER_INVALID", "no text"],
      [{}, "SOFTWARE_UPDATE_CIPHER_INVALID", good.slice(2)],
      [{ format: "base64" }, "SOFTWARE_UPDATE_CIPHER_INVALID", "AAAA=AAA"],
      [{ format: "base64" }, "SOFTWARE_UPDATE_CIPHER_INVALID", "A"],
      [{ filename: "../out" }, "SOFTWARE_UPDATE_PATH_REFUSED"],
      [{ path: at("nothing") }, "SOFTWARE_UPDATE_STORAGE_FAILED"],
    ];
    for (const [input, code, text = good] of wrong)
      await assert.rejects(open(text, input), (error: Error & { code: string }) => {
        assert.equal(error.code, code, JSON.stringify([input, text]));
        assert.ok(!error.message.includes(key.toString("hex")));
        return true;
      });
    assert.ok(!existsSync(at("clear")) || readdirSync(at("clear")).length === 0);
    assert.ok(!existsSync(at("out")));
  });

  test("opens with keys of other lengths, too", async () => {
    for (const length of [16, 24]) {
      const short = randomBytes(length);
      const cipher = createCipheriv(`aes-${length * 8}-cbc`, short, iv);
      const text = Buffer.concat([cipher.update("text"), cipher.final()]).toString("hex");
      assert.equal((await open(text, { key: short.toString("hex") })).toString(), "text");
    }
  });
});

describe("installed dependencies", () => {
  const prs = (name: string, more = "") => `group=g\nname=${name}\nversion=1\n${more}`;
  const save = (dependencies = "installed-deps") =>
    run(saveDependencies(storage, turns), { directory: at("module"), dependencies });
  const read = (input: object = {}) => run(readDependencies(storage), input);

  test("are read from a folder and those in it, by path", async () => {
    make({
      "module/installed-deps/b.prs": prs("b", "type=t\r\n"),
      "module/installed-deps/a/z.prs": prs("z"),
      "module/installed-deps/a/deep/no.prs": prs("no"),
      "module/installed-deps/c.txt": prs("no"),
    });
    assert.deepEqual(await save(), { files: 4 });
    assert.deepEqual(await read(), {
      installed: { 0: { group: "g", name: "z", version: "1" }, 1: { group: "g", name: "b", version: "1", type: "t" } },
    });
  });

  test("take the place of files and folders of the same names", async () => {
    make({ "module/installed-deps/a/one.prs": prs("one"), "module/installed-deps/b.prs": prs("b") });
    await save();
    rmSync(at("module"), { recursive: true });
    make({ "module/installed-deps/a/two.prs": prs("two"), "module/installed-deps/b.prs": prs("b", "type=new\n") });
    await save();
    await save();
    const names = Object.values(numbered(await readFrom(storage.installedDependencies))).map(
      ({ name, type }) => `${name} ${type}`,
    );
    assert.deepEqual(names, ["two undefined", "b new"]);
  });

  test("that lack something are left with their module, which fails; what is there stays readable", async () => {
    make({ "module/installed-deps/good.prs": prs("good"), "module/installed-deps/bad.prs": "name=x\nversion=1\n" });
    assert.deepEqual(await save(), { files: 1 });
    await assert.rejects(read({ directory: at("module"), dependencies: "installed-deps" }), {
      code: "SOFTWARE_UPDATE_DEPENDENCY_INVALID",
    });
    make({ "kept/installed-deps/broken.prs": "group=\n" });
    assert.deepEqual(Object.keys((await read()).installed), ["0"]);
  });

  test("come from the module's own folder only, and links are refused", async () => {
    make({ "outside/x.prs": prs("x"), "module/real/y.prs": prs("y"), "module/file": "" });
    symlinkSync(at("outside"), at("module/link"));
    for (const name of ["..", "../outside", "a/../../outside", ".", "link", "file"])
      await assert.rejects(save(name), { code: "SOFTWARE_UPDATE_PATH_REFUSED" }, name);
    assert.deepEqual(await save("/real"), { files: 1 });
    assert.deepEqual(await save("nothing"), { files: 0 });
    symlinkSync(at("outside/x.prs"), at("module/real/z.prs"));
    await assert.rejects(save("real"), { code: "SOFTWARE_UPDATE_PATH_REFUSED" });
  });

  test("have lines of which the last of a kind counts", () => {
    assert.deepEqual(parseDependency("group=a\ngroup=b=c\nname=n\nversion=1\nother=x\n"), {
      group: "b=c",
      name: "n",
      version: "1",
    });
    for (const text of ["", "group=g", "group=g\nname=\nversion=1", "Group=g\nname=n\nversion=1"])
      assert.equal(parseDependency(text), undefined);
  });

  test("and a remove.sh say that something is installed", async () => {
    make({ "module/remove.sh": "true" });
    chmodSync(at("module/remove.sh"), 0o600);
    const find = (name: string) => run(findInstalled(storage), { group: null, name, version: "1" });
    await assert.rejects(find("m"), { code: "SOFTWARE_UPDATE_NOT_INSTALLED" });
    assert.deepEqual(
      await run(keepRemover(storage), { module: { name: "m", version: "1" }, directory: at("module") }),
      { kept: true },
    );
    const { directory } = await find("m");
    assert.equal(readFileSync(join(directory!, "remove.sh"), "utf8"), "true");
    await assert.rejects(find("../m"), { code: "SOFTWARE_UPDATE_NOT_INSTALLED" });
    rmSync(at("module/remove.sh"));
    assert.deepEqual(
      await run(keepRemover(storage), { module: { name: "n", version: "1" }, directory: at("module") }),
      { kept: false },
    );
  });
});

describe("reports", () => {
  const memory = new Map<string, Json>();
  const keyValue: KeyValue = {
    get: async (key) => structuredClone(memory.get(key)),
    set: async (key, value) => void memory.set(key, structuredClone(value)),
    delete: async (key) => void memory.delete(key),
  };
  const sent: Report[] = [];
  const things = { report: async (given: Report) => void sent.push(given) };
  const say = (status: string, more: object = {}, id = "r") =>
    run(
      report(config, things, reported),
      { module: names(0), status, property: "lastOperation", intermediate: false, ...more } as never,
      { run: id },
    );
  const names = (index: number) => ({ index, name: "m", version: "1", correlationId: "c" });
  let reported: Reported;

  beforeEach(() => {
    memory.clear();
    sent.length = 0;
    reported = new Reported(keyValue);
  });

  test("on the way are left out where they say nothing new, and never go back, also after a crash", async () => {
    const on = (progress: number, message = "") => say("INSTALLING", { progress, message, intermediate: true });
    await say("INSTALLING", { progress: 0 });
    for (const [progress, message] of [[0], [10], [10], [5], [5, "a"], [5, "a"], [20, "a"]] as [number, string?][])
      await on(progress, message);
    reported = new Reported(keyValue);
    for (const progress of [3, 20, 30]) await on(progress, "b");
    assert.deepEqual(
      sent
        .map(({ value }) => value as { progress: number; message?: string })
        .map(({ progress, message }) => [progress, message]),
      [
        [0, undefined],
        [10, undefined],
        [10, "a"],
        [20, "a"],
        [30, "b"],
      ],
    );
  });

  test("of what is fetched stay below a hundred, and say nothing where nothing is known", async () => {
    await say("DOWNLOADING", { progress: 0 });
    const fetched = (doneBytes: number, totalBytes: number) =>
      say("DOWNLOADING", { doneBytes, totalBytes, intermediate: true });
    assert.deepEqual(await fetched(5, 0), { reported: false });
    assert.deepEqual(await fetched(1000, 100), { reported: true });
    assert.equal((sent.at(-1)!.value as { progress: number }).progress, 99);
  });

  test("that are counted are thinned out by their time, others by what they say", () => {
    const last = { status: "S", progress: 10, words: "w", at: 1000 };
    const next = { status: "S", progress: 20, words: "w", isCounted: true };
    assert.equal(worthSaying(last, next, 1399), undefined);
    assert.deepEqual(worthSaying(last, next, 1400), { progress: 20 });
    assert.deepEqual(worthSaying(last, { ...next, isCounted: false }, 1001), { progress: 20 });
    assert.deepEqual(worthSaying(last, { ...next, status: "T", progress: 1 }, 1001), { progress: 1 });
  });

  test("tell which modules have no end, in each run by itself, and not for ever", async () => {
    const unfinished = async (id: string) =>
      (
        await run(listUnfinished(reported), { modules: [module, module, module], correlationId: "c" }, { run: id })
      ).modules.map(({ index }) => index);
    await say("STARTED");
    await say("FINISHED_ERROR", { property: "lastFailedOperation" });
    assert.deepEqual(await unfinished("r"), [0, 1, 2]);
    await say("FINISHED_ERROR");
    await say("FINISHED_SUCCESS", { module: names(2) });
    reported = new Reported(keyValue);
    assert.deepEqual(await unfinished("r"), [1]);
    assert.deepEqual(await unfinished("other"), [0, 1, 2]);
    for (let n = 0; n < 310; n++) await say("STARTED", {}, `run-${n}`);
    assert.ok(memory.size <= 301, `${memory.size}`);
  });

  test("have the exit code, or -1 for a signal, and what the script said", async () => {
    const failure = {
      message: "m",
      exitCode: null,
      signal: "SIGKILL",
      said: { progress: 40, message: "x", statusCode: "y" },
    };
    await say("FINISHED_ERROR", failure);
    await say("FINISHED_ERROR", { ...failure, exitCode: 3, signal: null });
    await say("FINISHED_ERROR", { exitCode: null, signal: "software-update c", said: 404 });
    const values = sent.map(({ value }) => value as Record<string, unknown>);
    assert.deepEqual(
      values.map(({ progress, message, statusCode }) => [progress, message, statusCode]),
      [
        [40, "m", "-1"],
        [40, "m", "3"],
        [undefined, undefined, undefined],
      ],
    );
  });
});
