import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { WatchedFiles } from "../../host/development/watched-files.ts";

function makeFolder(t: TestContext) {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "gantry-watched-")));
  t.after(() => rmSync(path, { recursive: true }));
  const write = (name: string) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), String(Math.random()));
  };
  return { path, write };
}

test("changes are told once all is quiet, however an editor makes them, and no others", async (t) => {
  const { path, write } = makeFolder(t);
  for (const name of ["lamp/index.js", "lamp/data/x", "lamp/node_modules/a/index.js", "plugins.json"]) write(name);
  const places = {
    folders: [join(path, "lamp")],
    files: [join(path, "plugins.json")],
    except: join(path, "lamp/data"),
  };
  using files = new WatchedFiles(places, (error) => assert.fail(error));
  const all: string[] = [];
  const until = async (name: string) => {
    for (let told: string[] = []; !told.includes(name); all.push(...told))
      told = (await files.next()).map((file) => file.slice(path.length + 1));
  };
  // Of these nothing is told: packages, the host's data, other files beside plugins.json.
  for (const name of ["lamp/node_modules/a/index.js", "lamp/data/x", "other.json"]) write(name);
  // As an editor does that never leaves half a file.
  write("lamp/.index.swp");
  renameSync(join(path, "lamp/.index.swp"), join(path, "lamp/index.js"));
  await until("lamp/index.js");
  write("next.json");
  renameSync(join(path, "next.json"), join(path, "plugins.json"));
  await until("plugins.json");
  // In a folder that was not there before.
  mkdirSync(join(path, "lamp/steps"));
  await until("lamp/steps");
  write("lamp/steps/blink.js");
  await until("lamp/steps/blink.js");
  rmSync(join(path, "lamp/index.js"));
  await until("lamp/index.js");
  assert.deepEqual(new Set(all), new Set(["lamp/index.js", "plugins.json", "lamp/steps", "lamp/steps/blink.js"]));
});

test("what cannot be watched is refused with a code", (t) => {
  const { path } = makeFolder(t);
  const watch = () => new WatchedFiles({ folders: [join(path, "gone")], files: [], except: path }, () => {});
  assert.throws(watch, { code: "WATCH_FAILED", remedy: /max_user_watches/ });
});
