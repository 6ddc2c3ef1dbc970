// Each step that changes something, killed at each system call with which it does so: the next host brings it to the
// same end, and nothing else is left.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Case, crashEverywhere } from "../../support/crash-everywhere.ts";
import { needs } from "../../support/parts.ts";
import { tarOf } from "./tar-bytes.ts";

const skip = needs("strace");
const timeout = 600_000;
const archive = tarOf(
  { name: "folder/", type: "5", mode: 0o755 },
  { name: "folder/file", content: "content" },
  { name: "link", type: "2", linkName: "folder/file" },
);
const unpacked = { folder: "/", "folder/file": "content", link: "-> folder/file" };
const below = (folder: string, tree: Record<string, string>) =>
  Object.fromEntries([[folder, "/"], ...Object.entries(tree).map(([name, content]) => [join(folder, name), content])]);

const everyCrash = (given: Omit<Case, "plugin">) => crashEverywhere({ plugin: "archive", ...given });

const extraction: Omit<Case, "plugin"> = {
  prepare: (place) => writeFileSync(join(place, "archive"), archive),
  step: (place) => ({
    uses: "archive/extract",
    with: { path: join(place, "archive"), directory: join(place, "target"), links: "inside", replace: true },
  }),
  paths: (place) => {
    const staging = join(place, ".target.gantry-extract");
    const inside = Object.keys(unpacked).map((name) => join(staging, name));
    return [place, join(place, "target"), join(place, ".target.gantry-old"), staging, ...inside];
  },
  want: { archive: `${archive}`, ...below("target", unpacked) },
  calls: ["mkdir", "open", "write", "utime", "fsync", "symlink", "rename"],
};

test("archive/extract ends as if nothing had happened, wherever it is killed", { skip, timeout }, () =>
  everyCrash(extraction),
);

test("archive/extract ends so, too, where it replaces a folder", { skip, timeout }, () =>
  everyCrash({
    ...extraction,
    prepare(place) {
      extraction.prepare(place);
      mkdirSync(join(place, "target"));
      writeFileSync(join(place, "target/old"), "old");
    },
    calls: ["rename", "rmdir"],
  }),
);

test("archive/create ends as if nothing had happened, wherever it is killed", { skip, timeout }, () =>
  everyCrash({
    prepare(place) {
      mkdirSync(join(place, "content"));
      writeFileSync(join(place, "content/file"), "");
    },
    step: (place) => ({
      uses: "archive/create",
      with: { directory: join(place, "content"), path: join(place, "made.tar.gz") },
    }),
    paths: (place) => [place, join(place, "made.tar.gz"), join(place, ".made.tar.gz.gantry-part")],
    want: { content: "/", "content/file": "", "made.tar.gz": "*" },
    calls: ["open", "write", "fsync", "rename"],
  }),
);
