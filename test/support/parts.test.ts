import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const parts = fileURLToPath(new URL("./parts.ts", import.meta.url));

/** What `needs("openssl")` gives with these variables; Debian has openssl in no folder for servers. */
function ask(env: NodeJS.ProcessEnv) {
  const program = `import { needs } from ${JSON.stringify(parts)}; console.log(JSON.stringify(needs("openssl")));`;
  return spawnSync(process.execPath, ["--input-type=module-typescript", "-e", program], { encoding: "utf8", env });
}

test("a part that is missing is named in the words for the skipped test", () => {
  assert.match(JSON.parse(ask({ PATH: "/nowhere" }).stdout), /^needs openssl, .*apt-get install openssl/);
});

test("in CI a part that is missing is a failure", () => {
  const { status, stderr } = ask({ PATH: "/nowhere", CI: "true" });
  assert.equal(status, 1);
  assert.match(stderr, /Error: needs openssl/);
});
