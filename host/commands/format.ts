import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { readDocument } from "../documents/document.ts";
import { formatFault } from "../documents/fault-text.ts";
import { formatDocument } from "../editing/format.ts";

/**
 * Writes documents in Gantry's layout, each in one go; what is no sound JSON stays as it is. With `check` nothing is
 * written. 1 when a file has faults or, with `check`, another layout.
 */
export async function format(files: string[], { check }: { check: boolean }): Promise<number> {
  let exitCode = 0;
  for (const file of files) {
    const path = resolve(file);
    const { document, faults } = readDocument(path);
    if (document === undefined || faults.length > 0) {
      for (const fault of faults) process.stderr.write(`${formatFault(fault, document?.text, { colour: false })}\n\n`);
      exitCode = 1;
      continue;
    }
    const text = formatDocument(document);
    if (text === readFileSync(path, "utf8")) continue;
    process.stdout.write(`${file}${check ? " has another layout" : ""}\n`);
    if (check) exitCode = 1;
    else replace(path, text);
  }
  return exitCode;
}

// Whoever reads the file meanwhile finds the old text or the new one.
function replace(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: statSync(path).mode });
  renameSync(temporary, path);
}
