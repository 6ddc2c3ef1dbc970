// AES in CBC mode, as a stream: memory does not grow with the file.

import { createDecipheriv, type Decipheriv } from "node:crypto";
import { PluginError } from "gantry";
import { decodeText, type Format } from "./cipher-text.ts";
import type { DecryptInput } from "./plugin.types.ts";

const blockBytes = 16;

/** Throws SOFTWARE_UPDATE_KEY_INVALID; neither key nor vector is in its words. */
export function createDecipher({ key, iv }: Pick<DecryptInput, "key" | "iv">, format: Format): Decipheriv {
  if (iv === undefined || iv === null) throw invalid("there is a key, and no initialization vector");
  const [keyBytes, ivBytes] = [decodeText(key.trim(), format), decodeText(iv.trim(), format)];
  if (keyBytes === undefined) throw invalid(`the key is no text in ${format}`);
  if (ivBytes === undefined) throw invalid(`the initialization vector is no text in ${format}`);
  if (![16, 24, 32].includes(keyBytes.length)) throw invalid(`the key has ${keyBytes.length} bytes instead of 32`);
  if (ivBytes.length !== blockBytes)
    throw invalid(`the initialization vector has ${ivBytes.length} bytes instead of ${blockBytes}`);
  return createDecipheriv(`aes-${keyBytes.length * 8}-cbc`, keyBytes, ivBytes).setAutoPadding(false) as Decipheriv;
}

const invalid = (why: string) => new PluginError("SOFTWARE_UPDATE_KEY_INVALID", why);

/** The bytes in clear, without what fills up the last block. Throws SOFTWARE_UPDATE_CIPHER_INVALID. */
export async function* decrypted(
  pieces: AsyncIterable<Buffer>,
  decipher: Decipheriv,
  padding: DecryptInput["padding"],
): AsyncGenerator<Buffer> {
  // The last block is held back: it may be cut.
  let held: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    const clear = decipher.update(piece);
    if (clear.length === 0) continue;
    if (held.length > 0) yield held;
    held = Buffer.from(clear.subarray(-blockBytes));
    if (clear.length > blockBytes) yield clear.subarray(0, -blockBytes);
  }
  try {
    decipher.final();
  } catch (cause) {
    throw new PluginError("SOFTWARE_UPDATE_CIPHER_INVALID", "it has no whole number of blocks", { cause });
  }
  const last = withoutPadding(held, padding);
  if (last.length > 0) yield last;
}

function withoutPadding(block: Buffer, padding: DecryptInput["padding"]): Buffer {
  if (padding === "keep") return block;
  const count = block.at(-1) ?? 0;
  const isPadded = count >= 1 && count <= blockBytes && block.subarray(-count).every((byte) => byte === count);
  if (isPadded) return block.subarray(0, -count);
  if (padding === "auto") return block;
  throw new PluginError("SOFTWARE_UPDATE_CIPHER_INVALID", "its last block is not filled up as PKCS#7 asks for");
}
