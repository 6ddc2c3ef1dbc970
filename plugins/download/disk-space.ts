import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { PluginError } from "gantry";

/** Of less, the writing itself says as soon that there is no room. */
const worthAskingBytes = 1 << 20;

/** Throws DOWNLOAD_DISK_FULL where there is no room for so many bytes more; better now than after an hour. */
export async function checkSpace(path: string, neededBytes: number): Promise<void> {
  if (neededBytes < worthAskingBytes) return;
  const { bavail, bsize } = await statfs(dirname(path));
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes) return;
  throw new PluginError(
    "DOWNLOAD_DISK_FULL",
    `${dirname(path)} has room for ${freeBytes} bytes, and ${neededBytes} are to come`,
    { details: { freeBytes, neededBytes } },
  );
}
