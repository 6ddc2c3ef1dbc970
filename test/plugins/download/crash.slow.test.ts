// A download killed at each system call with which it changes something: the next host brings it to the same end, and
// nothing else is left.

import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { crashEverywhere } from "../../support/crash-everywhere.ts";
import { needs } from "../../support/parts.ts";
import { serve } from "./server.ts";

const options = { skip: needs("strace"), timeout: 900_000 };

test("download/fetch ends as if nothing had happened, wherever it is killed", options, async () => {
  await using server = await serve((_, response) => response.end("content"));
  const SHA256 = createHash("sha256").update("content").digest("hex");
  await crashEverywhere({
    plugin: "download",
    prepare: (place) => writeFileSync(join(place, "file"), "old"),
    step: (directory) => ({
      uses: "download/fetch",
      with: { url: `${server.url}/file`, directory, filename: "file", fileMode: "0640", checksums: { SHA256 } },
    }),
    // The part has the host's name in its own.
    data: { "plugins/download/parts/host-id": "01234567" },
    paths: (place) => [place, join(place, "file"), join(place, ".file.01234567.part")],
    want: { file: "content" },
    calls: ["open", "pwrite64", "fdatasync", "fchmod", "rename", "fsync"],
  });
});

test("download/copy ends as if nothing had happened, wherever it is killed", options, async () => {
  const SHA256 = createHash("sha256").update("content").digest("hex");
  await crashEverywhere({
    plugin: "download",
    prepare(place) {
      writeFileSync(join(place, "from"), "content");
      writeFileSync(join(place, "file"), "old");
    },
    step: (place) => ({
      uses: "download/copy",
      with: { path: join(place, "from"), mode: "lax", directory: place, filename: "file", checksums: { SHA256 } },
    }),
    data: { "plugins/download/parts/host-id": "01234567" },
    paths: (place) => [place, join(place, "file"), join(place, ".file.01234567.part")],
    want: { from: "content", file: "content" },
    calls: ["open", "pwrite64", "fdatasync", "rename", "fsync"],
  });
});
