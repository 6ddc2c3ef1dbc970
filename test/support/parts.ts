// The real parts some tests talk to, which no npm package brings along. `npm test` installs them as root on Debian.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Part to the Debian packages that have it; a part is a program of the same name. */
export const parts = {
  mosquitto: "mosquitto",
  mosquitto_pub: "mosquitto-clients",
  openssl: "openssl",
  strace: "strace",
  "systemd-analyze": "systemd",
  "swift-object-server": "swift-proxy swift-account swift-container swift-object",
  rclone: "rclone",
} as const;

export type Part = keyof typeof parts;

/**
 * For a test's `skip`: false when the part is there, else the words that say what is missing. With CI=true a missing
 * part is a failure, and this throws.
 */
export function needs(part: Part): string | false {
  if (isThere(part)) return false;
  const words = `needs ${part}, which is not installed (Debian: apt-get install ${parts[part]})`;
  if (process.env.CI === "true") throw new Error(words);
  return words;
}

/** Debian keeps servers in folders that the PATH of a user often lacks. */
export function isThere(part: Part): boolean {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.some((folder) => isExecutable(join(folder, part)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
