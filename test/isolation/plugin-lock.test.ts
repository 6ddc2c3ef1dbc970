import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { contentHash } from "../../host/loading/content-hash.ts";
import { formatPins, judge, PluginLock, parsePins } from "../../host/loading/plugin-lock.ts";
import { makeHostFolder } from "../loading/host-folder.ts";
import { stepContext } from "../support/step-context.ts";
import { activate, carriers, isolationOf, makeFolder } from "./carriers.ts";

test("a pin is judged by its content alone", () => {
  const pins = { lamp: { version: "1.0.0", content: "sha256-a" } };
  assert.equal(judge(pins, "lamp", { version: "1.0.0", content: "sha256-a" }), "accepted");
  assert.equal(judge(pins, "lamp", { version: "1.0.0", content: "sha256-b" }), "changed");
  assert.equal(judge(pins, "other", { version: "1.0.0", content: "sha256-a" }), "new");
  assert.equal(judge(pins, "toString", { version: "1.0.0", content: "sha256-a" }), "new");
});

test("the file is written in one order and read again; what is no such file is refused", () => {
  const one = { version: "1", content: "sha256-a" };
  assert.equal(formatPins({ b: one, a: one }), formatPins({ a: one, b: one }));
  assert.deepEqual(parsePins(formatPins({ b: one }), "f"), { b: one });
  for (const text of ["", "{", "null", "{}", '{"plugins":{"a":null}}', '{"plugins":{"a":{"version":"1"}}}'])
    assert.throws(() => parsePins(text, "plugins.lock.json"), { code: "PLUGIN_LOCK_BROKEN" }, text);
});

test("whatever changes in a plugin's folder changes its hash, and nothing else does", async (t) => {
  const { path } = makeHostFolder(t, { "p/plugin.json": {}, "p/steps/a.js": "a", "outside/x.js": "x" });
  const folder = join(path, "p");
  const hash = () => contentHash(folder, [join(folder, "data")]);
  const first = await hash();
  assert.match(first, /^sha256-[A-Za-z0-9+/]{43}=$/);
  const unchanged = [
    () => mkdirSync(join(folder, "data")),
    () => writeFileSync(join(folder, "data/x"), ""),
    () => writeFileSync(join(path, "outside/y"), ""),
  ];
  for (const change of unchanged) {
    change();
    assert.equal(await hash(), first);
  }
  const seen = new Set([first]);
  const changes = [
    () => appendFileSync(join(folder, "steps/a.js"), "b"),
    () => chmodSync(join(folder, "steps/a.js"), 0o755),
    () => renameSync(join(folder, "steps/a.js"), join(folder, "steps/b.js")),
    () => writeFileSync(join(folder, "new.js"), ""),
    () => symlinkSync(join(path, "outside"), join(folder, "link")),
    () => appendFileSync(join(path, "outside/x.js"), "changed behind the link"),
    () => symlinkSync(join(folder, "steps"), join(folder, "steps/circle")),
    () => symlinkSync("nowhere", join(folder, "dangling")),
    () => rmSync(join(folder, "new.js")),
  ];
  for (const [index, change] of changes.entries()) {
    change();
    const next = await hash();
    // A circle adds nothing.
    if (index === 6) assert.ok(seen.has(next));
    else assert.ok(!seen.has(next), `change ${index}`);
    seen.add(next);
  }
});

for (const carrier of carriers)
  test(`a plugin ${carrier} that has changed is not started until it is accepted; the host and others are`, async (t) => {
    const folder = makeFolder(t, [{ name: "good", ...isolationOf(carrier) }, { name: "peer" }]);
    const lockFile = join(folder.path, "plugins.lock.json");
    writeFileSync(lockFile, formatPins({ good: { version: "1.0.0", content: "sha256-what-it-was" } }));
    const { plugins, stateOf } = await started(t, folder);
    const { state, code, remedy } = stateOf("good");
    assert.deepEqual([state, code], ["failed", "PLUGIN_CHANGED"]);
    assert.match(remedy ?? "", /gantry plugin accept/);
    assert.throws(() => plugins.findStep("good/work"), { code: "PLUGIN_CHANGED", retryable: false });
    assert.equal(stateOf("peer").state, "active");
    const pins = () => parsePins(readFileSync(lockFile, "utf8"), lockFile);
    assert.equal(pins().good?.content, "sha256-what-it-was");
    assert.match(pins().peer?.content ?? "", /^sha256-/);

    const good = plugins.documents.plugins.find(({ name }) => name === "good")!;
    const lock = new PluginLock(folder.configurationFile, plugins.dataDirectory, () => assert.fail());
    assert.deepEqual(await lock.accept(good), pins().good);
    assert.equal((await plugins.restart("good"))?.state, "active");
    using context = stepContext();
    assert.deepEqual(await plugins.findStep("good/work").implementation.run({}, context), { times: 1 });

    appendFileSync(join(folder.path, "plugins/good/index.js"), "// changed\n");
    assert.equal((await plugins.restart("good"))?.code, "PLUGIN_CHANGED");
  });

test("a broken lock file starts no plugin that it could hold, and says so", async (t) => {
  const folder = makeFolder(t, [{ name: "good" }]);
  writeFileSync(join(folder.path, "plugins.lock.json"), "{");
  const { stateOf } = await started(t, folder);
  assert.equal(stateOf("good").code, "PLUGIN_LOCK_BROKEN");
  assert.equal(readFileSync(join(folder.path, "plugins.lock.json"), "utf8"), "{");
});

test("Gantry's own plugins are not pinned", async (t) => {
  const folder = makeFolder(t, []);
  writeFileSync(folder.configurationFile, JSON.stringify({ plugins: [{ plugin: "verify" }] }));
  const { stateOf } = await started(t, folder);
  assert.equal(stateOf("verify").state, "active");
  assert.equal(existsSync(join(folder.path, "plugins.lock.json")), false);
});

async function started(t: TestContext, folder: ReturnType<typeof makeFolder>) {
  const plugins = await activate(t, folder);
  return { plugins, stateOf: (name: string) => plugins.states().find((state) => state.name === name)! };
}
