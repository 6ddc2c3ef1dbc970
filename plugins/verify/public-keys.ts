// The keys that may have signed. Whatever is wrong with one of them, nothing is verified: a list that has lost half of
// its keys, or all of them, must never be taken for one that asks for less.

import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { isAbsolute } from "node:path";
import { PluginError } from "gantry";
import { withFile } from "./file-bytes.ts";

const pemLabels = /-----(BEGIN|END)[^-\n]*-----/g;
const pemBlocks = /-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----/g;

/**
 * Points of small order: for these as keys a signature can be made that holds for almost everything, by anybody.
 * The last 32 bytes of a key; the highest bit is only a sign.
 */
const smallOrder = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/**
 * All keys of these files (absolute paths) and PEM texts; at least one. Throws VERIFY_KEY_REQUIRED, VERIFY_KEY_INVALID.
 */
export async function readPublicKeys(sources: readonly string[], signal: AbortSignal): Promise<KeyObject[]> {
  if (sources.length === 0) throw new PluginError("VERIFY_KEY_REQUIRED", "no public key is given or configured");
  const keys: KeyObject[] = [];
  for (const [index, source] of sources.entries()) {
    const isFile = isAbsolute(source);
    const name = isFile ? source : `key ${index + 1}`;
    keys.push(...keysOf(isFile ? await read(source, signal) : source, name));
  }
  return keys;
}

/** Tells one key from another: SHA-256 of its DER form, in lower-case hexadecimal. */
export function fingerprintOf(key: KeyObject): string {
  return createHash("sha256").update(derOf(key)).digest("hex");
}

function keysOf(pem: string, name: string): KeyObject[] {
  const blocks = pem.match(pemBlocks) ?? [];
  if (blocks.length === 0) throw invalid(name, "it holds no public key in PEM form");
  // What begins or ends beside the whole ones is cut, or something else than a public key.
  if ((pem.match(pemLabels) ?? []).length !== 2 * blocks.length) throw invalid(name, "it holds more than whole keys");
  return blocks.map((block) => keyOf(block, name));
}

function keyOf(block: string, name: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey(block);
  } catch (cause) {
    throw invalid(name, "a key in it cannot be read", cause);
  }
  if (key.asymmetricKeyType !== "ed25519")
    throw invalid(name, `a key in it is of ${key.asymmetricKeyType}, not Ed25519`);
  const point = derOf(key).subarray(-32);
  point[31]! &= 0x7f;
  if (smallOrder.includes(point.toString("hex"))) throw invalid(name, "a key in it is a point of small order");
  return key;
}

async function read(path: string, signal: AbortSignal): Promise<string> {
  try {
    return await withFile(path, signal, async (file) => (await file.readFile()).toString("utf8"));
  } catch (cause) {
    signal.throwIfAborted();
    throw invalid(path, (cause as Error).message, cause);
  }
}

const derOf = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" });

const invalid = (name: string, why: string, cause?: unknown) =>
  new PluginError("VERIFY_KEY_INVALID", `${name}: ${why}`, { cause });
