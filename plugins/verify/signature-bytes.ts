import { isAbsolute } from "node:path";
import { PluginError } from "gantry";
import { withFile } from "./file-bytes.ts";

/** Of an Ed25519 signature. */
const signatureBytes = 64;
/** Larger than any form of it. */
const maxFileBytes = 4096;

/**
 * The signature's bytes, from text or from a file (absolute path). Throws VERIFY_SIGNATURE_INVALID,
 * VERIFY_FILE_UNREADABLE.
 */
export async function readSignature(given: string, signal: AbortSignal): Promise<Buffer> {
  // Base64 may begin with a slash as a path does, but no path is taken for it that is not of its very form.
  const bytes = parse(given) ?? (isAbsolute(given) ? await readFrom(given, signal) : undefined);
  if (bytes !== undefined) return bytes;
  throw new PluginError(
    "VERIFY_SIGNATURE_INVALID",
    `the signature has another form than ${signatureBytes} bytes, as they are, in base64 or in hexadecimal`,
  );
}

function readFrom(path: string, signal: AbortSignal): Promise<Buffer | undefined> {
  return withFile(path, signal, async (file, { size }) => {
    if (size > maxFileBytes) return undefined;
    const content = await file.readFile();
    return content.length === signatureBytes ? content : parse(content.toString("latin1"));
  });
}

function parse(text: string): Buffer | undefined {
  const trimmed = text.trim();
  if (/^[0-9A-Fa-f]{128}$/.test(trimmed)) return Buffer.from(trimmed, "hex");
  // Programs break base64 into lines.
  const base64 = trimmed.replace(/\r?\n/g, "");
  return /^[A-Za-z0-9+/]{86}==$/.test(base64) ? Buffer.from(base64, "base64") : undefined;
}
