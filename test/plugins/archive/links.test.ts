// Whatever links an archive puts together: those that are made lead to something inside, as the system sees it, and as
// programs do that take `..` back before they follow links (Node's own realpathSync).

import assert from "node:assert/strict";
import { lstatSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { PluginError } from "../../../host/sdk.ts";
import { treeOf } from "../../support/tree-of.ts";
import { type TarFields, tarOf } from "./tar-bytes.ts";
import { unpacking } from "./unpacking.ts";

const folders: TarFields[] = ["a", "a/b", "c"].map((name) => ({ name, type: "5" }));
const file: TarFields = { name: "a/file", content: "content" };
const names = ["l", "m", "a/l", "a/m", "a/b/l", "c/l"];
const parts = fc.constantFrom("a", "a/b", "c", "l", "m", "a/l", "a/file", ".", "..", "../..", "l/..", "m/../..");
const target = fc.oneof(
  { weight: 3, arbitrary: parts },
  fc.tuple(parts, parts).map((path) => path.join("/")),
);
const links = fc.array(target, { minLength: 1, maxLength: 4 });

test("links lead to something inside, or the archive is refused", async () => {
  let made = 0;
  await fc.assert(
    fc.asyncProperty(links, async (targets) => {
      using here = unpacking();
      const entries = targets.map((linkName, index): TarFields => ({ name: names[index]!, type: "2", linkName }));
      const archive = tarOf(...folders, file, ...entries);
      try {
        await here.unpack(archive, { links: "inside" });
      } catch (error) {
        assert.match((error as PluginError).code, /^ARCHIVE_LINK_REFUSED$/);
        assert.deepEqual(treeOf(here.place), { neighbour: "untouched" });
        return;
      }
      const root = realpathSync(here.target);
      for (const name of Object.keys(treeOf(root))) {
        if (!lstatSync(join(root, name)).isSymbolicLink()) continue;
        made++;
        for (const end of [realpathSync.native(join(root, name)), lexicalEnd(join(root, name))])
          assert.ok(end === root || end.startsWith(root + sep), `${name} leads to ${end}`);
      }
    }),
    { numRuns: 200 },
  );
  assert.ok(made > 20, `only ${made} links were made`);
});

/** What is not there for such a program is where it stands. */
function lexicalEnd(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOENT");
    return path;
  }
}
