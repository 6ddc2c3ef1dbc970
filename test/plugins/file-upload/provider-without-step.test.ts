// A provider of storage that the device has, and for which the document has no step yet.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { needs } from "../../support/parts.ts";
import { Hub } from "./hub.ts";

test("a file for which the document has no step is not said to be uploaded, and not removed", {
  skip: needs("mosquitto"),
  timeout: 120_000,
}, async () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-stepless-")));
  const path = join(directory, "a.log");
  writeFileSync(path, "a");
  const webdav = fileURLToPath(new URL("../../../examples/webdav", import.meta.url));
  const hub = await Hub.start({ upload: { files: path, delete: true }, plugins: [{ plugin: webdav }] });
  try {
    const last = await hub.upload("stepless", undefined, (request) => {
      assert.match(request.options["storage.providers"]!, /webdav/);
      return { "storage.provider": "webdav", "webdav.url": "http://127.0.0.1:1/" };
    });
    assert.deepEqual([last.state, last.statusCode], ["FAILED", "FILE_UPLOAD_STEP_MISSING"]);
    assert.match(last.message, /no step for the storage provider webdav/);
    assert.ok(existsSync(path));
  } finally {
    await hub[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  }
});
