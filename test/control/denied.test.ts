// Another user of the machine and the control socket; needs root, to become somebody else.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const client = new URL("../../host/control/client.ts", import.meta.url).href;
const program = `process.setgid(65534); process.setuid(65534);
const { connectControl } = await import(${JSON.stringify(client)});
await connectControl(process.argv[1]).catch(({ code, remedy }) => console.log(JSON.stringify({ code, remedy })));`;

test("a socket of another user is CONTROL_DENIED, and the remedy says whose command it must be", {
  skip: process.getuid?.() === 0 ? false : "needs root",
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "gantry-denied-"));
  const server = createServer().listen(join(folder, "control.sock"));
  await once(server, "listening");
  try {
    chmodSync(folder, 0o755);
    chmodSync(join(folder, "control.sock"), 0o600);
    const args = ["--input-type=module-typescript", "-e", program, folder];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { code, remedy } = JSON.parse(stdout) as { code: string; remedy: string };
    assert.equal(code, "CONTROL_DENIED");
    assert.match(remedy, /as the user of the host/);
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});
