// Files beyond 2 and 4 GiB, where counters of 31 and 32 bits end: every byte counts to the last.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { failureOf, runStep, stepContext } from "../../support/step-context.ts";

const GiB = 2 ** 30;

for (const size of [2 * GiB + 1, 4 * GiB + 1])
  test(`a file of ${size} bytes is verified to its last byte`, async () => {
    using context = stepContext();
    const path = join(context.directory, "large");
    sparseFile(path, size, "x");
    const SHA256 = digestOf(size, "x");
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const pem = publicKey.export({ type: "spki", format: "pem" }) as string;
    const signature = sign(null, Buffer.from(SHA256, "hex"), privateKey).toString("base64");
    const checksum = () => runStep("verify", "checksum", { path, checksums: { SHA256 } }, context);
    const verify = () => runStep("verify", "signature", { path, signature, publicKey: pem, signed: "sha256" }, context);
    await checksum();
    await verify();
    sparseFile(path, size, "y");
    assert.equal((await failureOf("verify", checksum())).code, "VERIFY_CHECKSUM_MISMATCH");
    assert.equal((await failureOf("verify", verify())).code, "VERIFY_SIGNATURE_WRONG");
  });

/** Zeros that need no room, and a last byte. */
function sparseFile(path: string, size: number, last: string): void {
  const file = openSync(path, "w");
  ftruncateSync(file, size);
  writeSync(file, last, size - 1);
  closeSync(file);
}

function digestOf(size: number, last: string): string {
  const hash = createHash("sha256");
  const zeros = Buffer.alloc(1 << 20);
  for (let left = size - 1; left > 0; left -= zeros.length) hash.update(zeros.subarray(0, left));
  return hash.update(last).digest("hex");
}
