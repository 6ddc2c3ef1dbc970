import { constants, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A descriptor that gives this text: of a file that has no name any more, as a pipe has an end that a program may not
 * wait for, and a socket cannot be opened as /dev/stdin. To be closed once the program has it.
 */
export function openInput(directory: string, name: string, text: string): number {
  const path = join(directory, name);
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode: 0o600, flag: "wx" });
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } finally {
    rmSync(path);
  }
}
