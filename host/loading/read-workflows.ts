import { readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { VerbCatalogue } from "../documents/catalogue.ts";
import { type Document, faultAt } from "../documents/document.ts";
import type { Fault } from "../documents/fault.ts";
import { parsePointer } from "../documents/pointer.ts";
import type { LoadedWorkflow } from "../engine/workflow.ts";
import { compile, evaluate } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { loadWorkflow } from "./load-workflow.ts";
import type { PluginsReading } from "./read-plugins.ts";

export interface WorkflowsReading {
  /** Those whose triggers are to be started. */
  active: LoadedWorkflow[];
  /** Sound documents that are switched off, or need a plugin that is not enabled. */
  inactive: LoadedWorkflow[];
  faults: Fault[];
}

/** Reads all documents below the folders of `workflows` in plugins.json; `folders` are its items. */
export function readWorkflows(
  source: Document,
  folders: readonly string[],
  { catalogue, unreadable, idle }: Pick<PluginsReading, "catalogue" | "unreadable" | "idle">,
): WorkflowsReading {
  const reading: WorkflowsReading = { active: [], inactive: [], faults: [] };
  const files = new Set<string>();
  for (const [index, folder] of folders.entries()) {
    const path = resolve(dirname(source.file), folder);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) for (const file of documentsIn(path)) files.add(file);
    else
      reading.faults.push(
        faultAt(source, `/workflows/${index}`, {
          code: "WORKFLOW_FOLDER_MISSING",
          message: `there is no folder ${path}`,
        }),
      );
  }
  // That a plugin is not there is said once, and not again where an expression reads its configuration.
  const absent = Object.fromEntries([...unreadable, ...idle].map((name) => [name, {}]));
  const known = { ...catalogue, config: { ...absent, ...catalogue.config } };
  const owners = new Map<string, { file: string; reported: boolean }>();
  for (const file of files) {
    const { document, workflow, faults } = loadWorkflow(file, known, { named: false });
    reading.faults.push(...faults.filter((fault) => !isConsequence(fault, document, unreadable)));
    if (document === undefined || workflow === undefined) continue;
    const owner = owners.get(workflow.name);
    if (owner !== undefined) {
      if (!owner.reported) reading.faults.push(duplicate(document, workflow.name, owner.file));
      owner.reported = true;
      continue;
    }
    owners.set(workflow.name, { file, reported: false });
    const enabled = isEnabled(document, workflow, catalogue);
    if (typeof enabled !== "boolean") reading.faults.push(enabled);
    else if (enabled && !faults.some(({ code }) => code === "PLUGIN_NOT_ENABLED")) reading.active.push(workflow);
    else reading.inactive.push(workflow);
  }
  return reading;
}

function documentsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name.endsWith(".json") && !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

// A step that is unknown because its plugin cannot be read is no mistake of this document.
function isConsequence({ pointer }: Fault, document: Document | undefined, unreadable: readonly string[]): boolean {
  if (!/\/(uses|trigger)$/.test(pointer)) return false;
  const address = valueAt(document?.value as Json, pointer);
  return typeof address === "string" && unreadable.some((name) => address.startsWith(`${name}/`));
}

function valueAt(value: Json | undefined, pointer: string): unknown {
  return parsePointer(pointer).reduce<unknown>((parent, key) => (parent as JsonObject | undefined)?.[key], value);
}

function duplicate(document: Document, name: string, file: string): Fault {
  return faultAt(document, "/name", { code: "WORKFLOW_DUPLICATE", message: `${file} is already named ${name}` });
}

function isEnabled(
  document: Document,
  { document: { enabled = true } }: LoadedWorkflow,
  { config }: VerbCatalogue,
): boolean | Fault {
  if (typeof enabled === "boolean") return enabled;
  let reason = "gives neither true nor false";
  try {
    const value = evaluate(compile(enabled), { config });
    if (typeof value === "boolean") return value;
  } catch (error) {
    reason = (error as Error).message;
  }
  return faultAt(document, "/enabled", { code: "WORKFLOW_ENABLED_INVALID", message: `\`enabled\`: ${reason}` });
}
