import { readFileSync } from "node:fs";

let known: string | undefined;

/**
 * The kernel's id of the time since the device started: another one after each reboot. The environment variable
 * GANTRY_BOOT_ID_FILE names another file to read it from. Empty where there is none. It is read once, since it does not
 * change while the process lives.
 */
export function bootId(): string {
  known ??= read(process.env.GANTRY_BOOT_ID_FILE ?? "/proc/sys/kernel/random/boot_id");
  return known;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}
