// The commands of the README, run as they stand there: what they make is verified.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { needs } from "../../support/parts.ts";
import { failureOf, runStep, stepContext } from "../../support/step-context.ts";

const readme = readFileSync(fileURLToPath(new URL("../../../plugins/verify/README.md", import.meta.url)), "utf8");
const blocks = [...readme.matchAll(/```sh\n([^`]*)```/g)].map(([, commands]) => commands!);

test("openssl makes keys and both kinds of signatures as the README says", { skip: needs("openssl") }, async () => {
  const [keys, ofFile, ofDigest, ...more] = blocks as [string, string, string];
  assert.equal(more.length, 0);
  using context = stepContext();
  const path = join(context.directory, "artifact");
  writeFileSync(path, "content\n".repeat(1000));
  const shell = (commands: string) => execFileSync("sh", ["-ec", commands], { cwd: context.directory, stdio: "pipe" });
  shell(keys);
  const signature = join(context.directory, "artifact.sig");
  const verify = (signed: string) =>
    runStep(
      "verify",
      "signature",
      { path, signature, publicKey: join(context.directory, "public.pem"), signed },
      context,
    );
  for (const [commands, signed, otherwise] of [
    [ofFile, "file", "sha256"],
    [ofDigest, "sha256", "file"],
  ] as const) {
    shell(commands);
    await verify(signed);
    assert.equal((await failureOf("verify", verify(otherwise))).code, "VERIFY_SIGNATURE_WRONG");
  }
});
