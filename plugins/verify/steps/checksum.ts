import { createHash } from "node:crypto";
import { PluginError, type Step } from "gantry";
import { chunksOf, withFile } from "../file-bytes.ts";
import type { ChecksumInput, ChecksumOutput } from "../plugin.types.ts";

type Algorithm = keyof ChecksumInput["checksums"];

const hexDigits: Record<Algorithm, number> = { SHA256: 64, SHA384: 96, SHA512: 128, SHA1: 40, MD5: 32 };
const weak: ReadonlySet<Algorithm> = new Set(["SHA1", "MD5"]);

export const checksum: Step<ChecksumInput, ChecksumOutput> = {
  plan: ({ path, checksums }) => `verifies ${path} (${Object.keys(checksums).join(", ")})`,
  async run({ path, checksums, allowWeakChecksums }, { signal }) {
    const wanted = Object.entries(checksums) as [Algorithm, string][];
    for (const [algorithm, hex] of wanted) checkForm(algorithm, hex);
    if (!allowWeakChecksums && wanted.every(([algorithm]) => weak.has(algorithm)))
      throw new PluginError(
        "VERIFY_CHECKSUM_WEAK",
        `${wanted.map(([algorithm]) => algorithm).join(" and ")} alone will not do`,
      );
    const digests = await digestsOf(
      path,
      wanted.map(([algorithm]) => algorithm),
      signal,
    );
    for (const [algorithm, hex] of wanted) {
      if (digests[algorithm] === hex.toLowerCase()) continue;
      const details = { path, algorithm, expected: hex.toLowerCase(), actual: digests[algorithm]! };
      throw new PluginError("VERIFY_CHECKSUM_MISMATCH", `${path} has another ${algorithm} checksum than expected`, {
        details,
      });
    }
    return { digests };
  },
};

/** One pass over the file for all algorithms. */
async function digestsOf(path: string, algorithms: Algorithm[], signal: AbortSignal): Promise<Record<string, string>> {
  const hashes = algorithms.map((algorithm) => [algorithm, createHash(algorithm.toLowerCase())] as const);
  await withFile(path, signal, async (file) => {
    for await (const chunk of chunksOf(file, signal)) for (const [, hash] of hashes) hash.update(chunk);
  });
  return Object.fromEntries(hashes.map(([algorithm, hash]) => [algorithm, hash.digest("hex")]));
}

function checkForm(algorithm: Algorithm, hex: string): void {
  const digits = hexDigits[algorithm];
  if (hex.length === digits && /^[0-9a-f]*$/i.test(hex)) return;
  throw new PluginError("VERIFY_CHECKSUM_INVALID", `a ${algorithm} checksum has ${digits} hexadecimal digits`);
}
