// Each step that writes, with a disk that is full at each system call that needs room: the failure says so, nothing half
// is left, and once there is room again the step comes to its end.

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type FullDisk, fullEverywhere } from "../support/full-disk.ts";
import { needs } from "../support/parts.ts";
import { tarOf } from "./archive/tar-bytes.ts";
import { serve } from "./download/server.ts";

const checksums = { SHA256: createHash("sha256").update("content").digest("hex") };
const options = { skip: needs("strace"), timeout: 900_000 };

function fullFor(what: string, given: FullDisk) {
  test(what, options, async (t) => {
    t.diagnostic(`full at ${await fullEverywhere(given)} calls`);
  });
}

test("download/fetch", options, async (t) => {
  await using server = await serve((_, response) => {
    response.write("con");
    response.end("tent");
  });
  const calls = await fullEverywhere({
    plugin: "download",
    step: "fetch",
    prepare: (place) => writeFileSync(join(place, "file"), "old"),
    input: (directory) => ({ url: `${server.url}/file`, directory, filename: "file", checksums }),
    want: { file: "content" },
  });
  t.diagnostic(`full at ${calls} calls`);
});

fullFor("download/copy", {
  plugin: "download",
  step: "copy",
  prepare(place) {
    for (const folder of ["from", "to"]) mkdirSync(join(place, folder));
    writeFileSync(join(place, "from/file"), "content");
  },
  input: (place) => ({
    path: join(place, "from/file"),
    mode: "lax",
    directory: join(place, "to"),
    checksums,
  }),
  want: { from: "/", "from/file": "content", to: "/", "to/file": "content" },
});

const archive = tarOf(
  { name: "folder/", type: "5", mode: 0o755 },
  { name: "folder/file", content: "content" },
  { name: "link", type: "2", linkName: "folder/file" },
  { name: "other", type: "1", linkName: "folder/file" },
);

fullFor("archive/extract", {
  plugin: "archive",
  step: "extract",
  prepare(place) {
    writeFileSync(join(place, "archive"), archive);
    mkdirSync(join(place, "target"));
    writeFileSync(join(place, "target/old"), "old");
  },
  input: (place) => ({
    path: join(place, "archive"),
    directory: join(place, "target"),
    links: "inside",
    replace: true,
  }),
  want: {
    archive: `${archive}`,
    target: "/",
    "target/folder": "/",
    "target/folder/file": "content",
    "target/link": "-> folder/file",
    "target/other": "content",
  },
});

fullFor("archive/create", {
  plugin: "archive",
  step: "create",
  prepare(place) {
    mkdirSync(join(place, "content"));
    writeFileSync(join(place, "content/file"), "content");
    writeFileSync(join(place, "made.tar.gz"), "old");
  },
  input: (place) => ({ directory: join(place, "content"), path: join(place, "made.tar.gz") }),
  want: { content: "/", "content/file": "content", "made.tar.gz": "*" },
});

fullFor("files/write", {
  plugin: "files",
  step: "write",
  prepare: (place) => writeFileSync(join(place, "file"), "old"),
  input: (place) => ({ path: join(place, "file"), content: "new" }),
  want: { file: "new" },
});

test("files/move to another file system", options, async (t) => {
  // Memory is one.
  const other = mkdtempSync(join(process.platform === "linux" ? "/dev/shm" : tmpdir(), "gantry-other-"));
  try {
    const calls = await fullEverywhere({
      plugin: "files",
      step: "move",
      prepare(place) {
        rmSync(join(other, "from"), { recursive: true, force: true });
        mkdirSync(join(other, "from"));
        for (const name of ["a", "b"]) writeFileSync(join(other, "from", name), name);
        writeFileSync(join(place, "neighbour"), "untouched");
      },
      input: (place) => ({ from: join(other, "from"), to: join(place, "to") }),
      want: { neighbour: "untouched", to: "/", "to/a": "a", "to/b": "b" },
    });
    t.diagnostic(`full at ${calls} calls`);
  } finally {
    rmSync(other, { recursive: true });
  }
});
