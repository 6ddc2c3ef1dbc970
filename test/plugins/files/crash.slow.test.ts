// Each step that changes something, killed at each system call with which it does so: the next host brings it to the
// same end, and nothing else is left.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Case, crashEverywhere } from "../../support/crash-everywhere.ts";
import { needs } from "../../support/parts.ts";
import { cannotMount, smallDisk } from "../../support/small-disk.ts";
import { treeOf } from "../../support/tree-of.ts";

const skip = needs("strace");

const everyCrash = (given: Omit<Case, "plugin">) => crashEverywhere({ plugin: "files", ...given });

test("files/write ends as if nothing had happened, wherever it is killed", { skip }, () =>
  everyCrash({
    prepare: (place) => writeFileSync(join(place, "file"), "old"),
    step: (place) => ({ uses: "files/write", with: { path: join(place, "file"), content: "new" } }),
    paths: (place) => [place, join(place, "file"), join(place, ".file.gantry-write")],
    want: { file: "new" },
    calls: ["open", "write", "fchmod", "fsync", "rename"],
  }),
);

test("files/move ends as if nothing had happened, wherever it is killed", { skip }, () =>
  everyCrash({
    prepare: (place) => writeFileSync(join(place, "from"), "content"),
    step: (place) => ({ uses: "files/move", with: { from: join(place, "from"), to: join(place, "to") } }),
    paths: (place) => [place, join(place, "from"), join(place, "to")],
    want: { to: "content" },
    calls: ["rename", "fsync"],
  }),
);

test("files/move between two file systems ends so, too", { skip: skip || cannotMount }, async () => {
  using disk = smallDisk();
  let moves = 0;
  const to = () => disk.path(`folder${moves}`);
  await everyCrash({
    prepare: (place) => {
      moves++;
      mkdirSync(join(place, "from"));
      for (const name of ["a", "b"]) writeFileSync(join(place, "from", name), name);
    },
    step: (place) => ({ uses: "files/move", with: { from: join(place, "from"), to: to() } }),
    paths: (place) => {
      const part = disk.path(`.folder${moves}.gantry-move`);
      return [
        disk.place,
        to(),
        part,
        join(part, "a"),
        join(part, "b"),
        ...["", "a", "b"].map((name) => join(place, "from", name)),
      ];
    },
    want: {},
    calls: ["mkdir", "write", "fsync", "rename", "unlink", "rmdir"],
  });
  const want = Array.from({ length: moves }, (_, index) => `folder${index + 1}`);
  const found = Object.entries(treeOf(disk.place));
  assert.deepEqual(
    found
      .filter(([, content]) => content === "/")
      .map(([name]) => name)
      .sort(),
    want.sort(),
  );
  assert.deepEqual(found.filter(([, content]) => content !== "/").length, 2 * moves);
});

test("files/remove ends as if nothing had happened, wherever it is killed", { skip }, () =>
  everyCrash({
    prepare: (place) => {
      mkdirSync(join(place, "folder"));
      for (const name of ["a", "b"]) writeFileSync(join(place, "folder", name), name);
    },
    step: (place) => ({ uses: "files/remove", with: { path: join(place, "folder"), recursive: true } }),
    paths: (place) => [place, ...["", "a", "b"].map((name) => join(place, "folder", name))],
    want: {},
    calls: ["unlink", "rmdir", "fsync"],
  }),
);
