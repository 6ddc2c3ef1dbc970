import { createHash, verify } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { PluginError, type Step } from "gantry";
import { chunksOf, withFile } from "../file-bytes.ts";
import type { Config, SignatureInput, SignatureOutput } from "../plugin.types.ts";
import { fingerprintOf, readPublicKeys } from "../public-keys.ts";
import { readSignature } from "../signature-bytes.ts";

/** Ed25519 takes a message as a whole: so much of it is held in memory. */
const maxFileBytes = 64 << 20;

export function signature(config: Config): Step<SignatureInput, SignatureOutput> {
  return {
    plan: ({ path, signed }) =>
      `verifies the signature of ${signed === "file" ? path : `the SHA-256 digest of ${path}`}`,

    async run({ path, signature: given, publicKey, signed }, { signal }) {
      const keys = await readPublicKeys(publicKey === undefined ? (config.publicKeys ?? []) : [publicKey], signal);
      const bytes = await readSignature(given, signal);
      const { message, sha256 } = await withFile(path, signal, async (file, { size }) => {
        if (signed === "sha256") return digestOf(file, signal);
        if (size > maxFileBytes) throw tooLarge(path, size);
        const content = await file.readFile();
        return { message: content, sha256: createHash("sha256").update(content).digest() };
      });
      const signer = keys.find((key) => verify(null, message, key, bytes));
      if (signer === undefined)
        throw new PluginError(
          "VERIFY_SIGNATURE_WRONG",
          `${path} is not signed by ${keys.length === 1 ? "the key" : "any of the keys"}`,
          {
            details: { path, signed, publicKeys: keys.map(fingerprintOf) },
          },
        );
      return { publicKey: fingerprintOf(signer), digests: { SHA256: sha256.toString("hex") } };
    },
  };
}

/** What is signed is the digest itself. */
async function digestOf(file: FileHandle, signal: AbortSignal): Promise<{ message: Buffer; sha256: Buffer }> {
  const hash = createHash("sha256");
  for await (const chunk of chunksOf(file, signal)) hash.update(chunk);
  const sha256 = hash.digest();
  return { message: sha256, sha256 };
}

const tooLarge = (path: string, size: number) =>
  new PluginError("VERIFY_FILE_TOO_LARGE", `${path} has ${size} bytes, more than ${maxFileBytes}`, {
    details: { sizeBytes: size, limitBytes: maxFileBytes },
  });
