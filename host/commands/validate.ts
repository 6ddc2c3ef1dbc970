// gantry validate: all faults of all documents, and no plugin code.

import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";
import { checkConfiguration } from "../documents/check-configuration.ts";
import { readDocument } from "../documents/document.ts";
import type { Fault } from "../documents/fault.ts";
import { faultAsJson, formatFault } from "../documents/fault-text.ts";
import { loadWorkflow } from "../loading/load-workflow.ts";
import { readHost } from "../loading/read-host.ts";
import { readManifest } from "../loading/read-manifest.ts";

export interface ValidateOptions {
  config: string;
  json: boolean;
}

/** Without files: the configuration and all that it leads to. Gives the exit code; notes never make it 1. */
export function validate(files: string[], { config, json }: ValidateOptions): number {
  const faults = (files.length === 0 ? readHost(config).faults : files.flatMap((file) => checkFile(file, config))).map(
    relativeToHere,
  );
  const serious = faults.filter(({ severity }) => severity === "fault").length;
  if (json) for (const fault of faults) process.stdout.write(`${faultAsJson(fault)}\n`);
  else printForPeople(faults, serious);
  return serious > 0 ? 1 : 0;
}

/** What a document is shows in its name: plugins.json, plugin.json, or a workflow. */
function checkFile(file: string, config: string): Fault[] {
  const name = basename(file);
  if (resolve(file) === resolve(config) || name === "plugins.json") {
    const { document, faults } = readDocument(resolve(file));
    if (document !== undefined && resolve(file) === resolve(config)) return readHost(file).faults;
    return document === undefined ? faults : [...faults, ...checkConfiguration(document)];
  }
  if (name === "plugin.json") {
    const folder = dirname(resolve(file));
    const { faults } = readManifest(existsSync(folder) ? realpathSync(folder) : folder, false);
    return faults.map((fault) => ({ ...fault, file: resolve(file) }));
  }
  const { catalogue, configuration, faults: hostFaults } = readHost(config);
  // Without a usable configuration nothing is known of the steps: that is the first thing to mend.
  if (configuration === undefined) return hostFaults;
  return loadWorkflow(resolve(file), catalogue, { named: true }).faults;
}

function printForPeople(faults: Fault[], serious: number): void {
  const colour = process.stdout.hasColors?.() === true;
  const texts = new Map<string, string | undefined>();
  for (const fault of faults) {
    if (!texts.has(fault.file)) texts.set(fault.file, textOf(fault.file));
    process.stdout.write(`${formatFault(fault, texts.get(fault.file), { colour })}\n\n`);
  }
  const notes = faults.length - serious;
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  if (serious > 0) process.stdout.write(`${count(serious, "error")}; docs/errors.md has a remedy for each code\n`);
  else process.stdout.write(`all good${notes > 0 ? ` (${count(notes, "note")})` : ""}\n`);
}

function textOf(file: string): string | undefined {
  const { document } = readDocument(resolve(file));
  if (document !== undefined) return document.text;
  try {
    return readFileSync(file, "utf8").replace(/^\ufeff/, "");
  } catch {
    return undefined;
  }
}

function relativeToHere(fault: Fault): Fault {
  const path = relative(process.cwd(), fault.file);
  return { ...fault, file: path === "" || path.startsWith("..") ? fault.file : path };
}
