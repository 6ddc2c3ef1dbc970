import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { JsonObject } from "../../../host/sdk.ts";
import type { SignatureOutput } from "../../../plugins/verify/plugin.types.ts";
import { failureOf, planStep, runStep, stepContext } from "../../support/step-context.ts";

const content = Buffer.from("what an earlier step has made\n".repeat(1000));
const sha256 = createHash("sha256").update(content).digest();
const pair = (type: "ed25519" | "ed448" | "x25519" = "ed25519") => generateKeyPairSync(type as "ed25519");
const pemOf = (key: KeyObject) => key.export({ type: "spki", format: "pem" }) as string;
const fingerprint = (key: KeyObject) =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
const maker = pair();
const other = pair();
const signature = sign(null, content, maker.privateKey);
const publicKey = pemOf(maker.publicKey);

/** A file with the content, and the step on it. */
function signed() {
  const context = stepContext();
  const file = (name: string, data: string | Buffer) => {
    writeFileSync(join(context.directory, name), data);
    return join(context.directory, name);
  };
  const path = file("file", content);
  const verify = (input: JsonObject = {}, config: JsonObject = {}) =>
    runStep<SignatureOutput>(
      ...(["verify", "signature"] as const),
      { path, signature: signature.toString("base64"), ...input },
      context,
      config,
    );
  return {
    context,
    path,
    file,
    verify,
    refused: async (input: JsonObject, config: JsonObject = {}) =>
      (await failureOf("verify", verify(input, config))).code,
    [Symbol.dispose]: () => context[Symbol.dispose](),
  };
}

test("a right signature holds, in each form, as text and in a file", async () => {
  using here = signed();
  const want = { publicKey: fingerprint(maker.publicKey), digests: { SHA256: sha256.toString("hex") } };
  const base64 = signature.toString("base64");
  const broken = base64.replace(/.{64}/, "$&\n");
  const forms = [base64, `${base64}\n`, broken, signature.toString("hex"), signature.toString("hex").toUpperCase()];
  for (const form of forms) {
    assert.deepEqual(await here.verify({ signature: form, publicKey }), want);
    assert.deepEqual(await here.verify({ signature: here.file("sig", form), publicKey }), want);
  }
  assert.deepEqual(await here.verify({ signature: here.file("sig", signature), publicKey }), want);
  assert.deepEqual(await here.verify({ publicKey: here.file("key.pem", publicKey) }), want);
});

test("a signature that begins with a slash is no path", async () => {
  using here = signed();
  // Ed25519 signs the same in the same way: another content until the first character is the one.
  for (let count = 0; ; count++) {
    const text = `content ${count}`;
    const base64 = sign(null, Buffer.from(text), maker.privateKey).toString("base64");
    if (!base64.startsWith("/")) continue;
    const path = here.file("other", text);
    await here.verify({ path, signature: base64, publicKey });
    break;
  }
});

test("a change of any kind, and another key, are wrong", async () => {
  using here = signed();
  const changed = Buffer.from(content);
  changed[content.length - 1]! ^= 1;
  const wrong = Buffer.from(signature);
  wrong[40]! ^= 1;
  for (const data of [changed, content.subarray(1), Buffer.concat([content, Buffer.from([0])]), Buffer.alloc(0)])
    assert.equal(await here.refused({ path: here.file("changed", data), publicKey }), "VERIFY_SIGNATURE_WRONG");
  assert.equal(await here.refused({ signature: wrong.toString("hex"), publicKey }), "VERIFY_SIGNATURE_WRONG");
  assert.equal(await here.refused({ signature: "0".repeat(128), publicKey }), "VERIFY_SIGNATURE_WRONG");
  const failure = await failureOf("verify", here.verify({ publicKey: pemOf(other.publicKey) }));
  assert.equal(failure.code, "VERIFY_SIGNATURE_WRONG");
  assert.equal(failure.retryable, false);
  assert.deepEqual(failure.details!.publicKeys, [fingerprint(other.publicKey)]);
});

test("a signature whose second half is counted up by the order of the group is another one, and wrong", async () => {
  using here = signed();
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const half = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`) + order;
  const bytes = Buffer.from(half.toString(16).padStart(64, "0"), "hex").reverse();
  const twin = Buffer.concat([signature.subarray(0, 32), bytes]).toString("base64");
  assert.equal(await here.refused({ signature: twin, publicKey }), "VERIFY_SIGNATURE_WRONG");
});

test("what was signed is what the step says: the bytes, or their digest", async () => {
  using here = signed();
  const ofDigest = sign(null, sha256, maker.privateKey).toString("base64");
  assert.equal(
    (await here.verify({ signature: ofDigest, signed: "sha256", publicKey })).digests.SHA256,
    sha256.toString("hex"),
  );
  assert.equal(await here.refused({ signature: ofDigest, publicKey }), "VERIFY_SIGNATURE_WRONG");
  assert.equal(await here.refused({ signed: "sha256", publicKey }), "VERIFY_SIGNATURE_WRONG");
});

test("a file too large for memory needs a signature of its digest", async () => {
  using here = signed();
  const path = here.file("large", "");
  truncateSync(path, (64 << 20) + 1);
  assert.equal(await here.refused({ path, publicKey }), "VERIFY_FILE_TOO_LARGE");
  assert.equal(await here.refused({ path, publicKey, signed: "sha256" }), "VERIFY_SIGNATURE_WRONG");
});

test("any of the configured keys may have signed, from files with several and as text", async () => {
  using here = signed();
  const several = here.file("several.pem", `# ours\n${pemOf(other.publicKey)}\n${publicKey}`);
  const alone = pemOf(other.publicKey);
  for (const publicKeys of [
    [several],
    [alone, publicKey],
    [publicKey, several],
    [here.file("crlf", publicKey.replaceAll("\n", "\r\n"))],
  ])
    assert.equal((await here.verify({}, { publicKeys })).publicKey, fingerprint(maker.publicKey));
  assert.equal(await here.refused({}, { publicKeys: [alone] }), "VERIFY_SIGNATURE_WRONG");
  // What the step says goes before.
  assert.equal(await here.refused({ publicKey: alone }, { publicKeys: [publicKey] }), "VERIFY_SIGNATURE_WRONG");
});

test("no keys at all verify nothing", async () => {
  using here = signed();
  assert.equal(await here.refused({}), "VERIFY_KEY_REQUIRED");
  assert.equal(await here.refused({}, { publicKeys: [] }), "VERIFY_KEY_REQUIRED");
});

test("keys that are empty, cut, missing, or others than they should be verify nothing, though another one has signed", async () => {
  using here = signed();
  const cut = publicKey.slice(0, 60);
  const texts: Record<string, string> = {
    empty: "",
    blank: "\n\n",
    garbage: "garbage",
    cut,
    "cut after a whole one": `${publicKey}${cut}`,
    "begun before a whole one": `-----BEGIN PUBLIC KEY-----\n${publicKey}`,
    "without its first line": publicKey.split("\n").slice(1).join("\n"),
    "cut inside": publicKey.replace(/\n([A-Za-z0-9+/]{20})[^\n]*\n/, "\n$1\n"),
    "a byte lost": publicKey.replace("MCowBQYDK2VwAyEA", "MCowBQYDK2VwAyE"),
    "a private key": maker.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    "a private key beside": `${publicKey}${maker.privateKey.export({ type: "pkcs8", format: "pem" })}`,
    Ed448: pemOf(pair("ed448").publicKey),
    X25519: pemOf(pair("x25519").publicKey),
    RSA: pemOf(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey),
    "a point of small order": pemWith(Buffer.from("01".padEnd(64, "0"), "hex")),
    "a point of small order with a sign": pemWith(Buffer.from(`${"0".repeat(62)}80`, "hex")),
  };
  for (const [name, text] of Object.entries(texts)) {
    const file = here.file("key.pem", text);
    for (const publicKeys of [[file], [text], [publicKey, file], [file, publicKey], [publicKey, text]])
      assert.equal(await here.refused({}, { publicKeys }), "VERIFY_KEY_INVALID", name);
    assert.equal(await here.refused({ publicKey: text }), "VERIFY_KEY_INVALID", name);
  }
  for (const path of [join(here.context.directory, "missing"), here.context.directory, "/dev/zero"])
    assert.equal(await here.refused({}, { publicKeys: [publicKey, path] }), "VERIFY_KEY_INVALID", path);
});

test("what is no signature is told of as such", async () => {
  using here = signed();
  const base64 = signature.toString("base64");
  const texts = [
    "",
    "garbage",
    base64.slice(0, -4),
    `${base64}AAAA`,
    signature.toString("hex").slice(2),
    base64.slice(0, 86),
  ];
  for (const text of texts) {
    assert.equal(await here.refused({ signature: text, publicKey }), "VERIFY_SIGNATURE_INVALID", text);
    assert.equal(
      await here.refused({ signature: here.file("sig", text), publicKey }),
      "VERIFY_SIGNATURE_INVALID",
      text,
    );
  }
  const large = here.file("large-sig", Buffer.alloc(100_000));
  assert.equal(await here.refused({ signature: large, publicKey }), "VERIFY_SIGNATURE_INVALID");
});

test("a file or a signature that cannot be read is told of", { timeout: 20_000 }, async () => {
  using here = signed();
  const pipe = join(here.context.directory, "pipe");
  execFileSync("mkfifo", [pipe]);
  for (const path of [join(here.context.directory, "missing"), here.context.directory, pipe, "/dev/zero"]) {
    assert.equal(await here.refused({ path, publicKey }), "VERIFY_FILE_UNREADABLE");
    assert.equal(await here.refused({ signature: path, publicKey }), "VERIFY_FILE_UNREADABLE");
  }
});

test("an abort ends the reading with the abort's own reason", async () => {
  using here = signed();
  const reason = new Error("cancelled");
  const verified = here.verify({ publicKey, signed: "sha256" });
  here.context.controller.abort(reason);
  await assert.rejects(verified, (error) => error === reason);
});

test("the plan says what is verified", async () => {
  using here = signed();
  const plan = (signed: string) =>
    planStep("verify", "signature", { path: "/a", signature: "x", signed }, here.context);
  assert.equal(await plan("file"), "verifies the signature of /a");
  assert.equal(await plan("sha256"), "verifies the signature of the SHA-256 digest of /a");
});

/** A key with this point. */
function pemWith(point: Buffer): string {
  const der = createPublicKey(publicKey).export({ type: "spki", format: "der" });
  const base64 = Buffer.concat([der.subarray(0, -32), point]).toString("base64");
  return `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`;
}
