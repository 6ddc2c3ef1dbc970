import { readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { CallableWorkflow, VerbCatalogue } from "../documents/catalogue.ts";
import { circleFrom } from "../documents/check-called.ts";
import { type Document, faultAt, readDocument } from "../documents/document.ts";
import type { Fault } from "../documents/fault.ts";
import { parsePointer, valueAt } from "../documents/pointer.ts";
import type { BrokenWorkflow, LoadedWorkflow } from "../engine/workflow.ts";
import { compile, evaluate } from "../expressions/index.ts";
import type { Json } from "../sdk.ts";
import { callableByName, callsIn, callsOf, inCircle } from "./called-workflows.ts";
import { CommandOwners } from "./command-owners.ts";
import { checkReading } from "./load-workflow.ts";
import type { PluginsReading } from "./read-plugins.ts";

export interface WorkflowsReading {
  /** Those whose triggers are to be started. */
  active: LoadedWorkflow[];
  /** Sound documents that are switched off, or need a plugin that is not enabled. */
  inactive: LoadedWorkflow[];
  /** Documents with faults whose `on` can be read. */
  broken: BrokenWorkflow[];
  /** All sound ones, with what they call, by name. */
  callable: Map<string, LoadedWorkflow>;
  /** What is known of all documents that have a name. */
  known: ReadonlyMap<string, CallableWorkflow>;
  faults: Fault[];
}

/** Reads all documents below the folders of `workflows` in plugins.json; `folders` are its items. */
export function readWorkflows(
  source: Document,
  folders: readonly string[],
  { catalogue, unreadable, idle }: Pick<PluginsReading, "catalogue" | "unreadable" | "idle">,
): WorkflowsReading {
  const reading: WorkflowsReading = {
    active: [],
    inactive: [],
    broken: [],
    callable: new Map(),
    known: new Map(),
    faults: [],
  };
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
  const readings = [...files].map((file) => ({ file, ...readDocument(file) }));
  const workflows = callableByName(
    readings.map(({ document }) => document),
    readings.filter(({ document }) => document === undefined).map(({ file }) => file),
  );
  reading.known = workflows;
  const known = { ...catalogue, config: { ...absent, ...catalogue.config }, workflows };
  const owners = new Map<string, { file: string; reported: boolean }>();
  const sound = new Map<string, { workflow: LoadedWorkflow; active: boolean }>();
  const inCircles = new Set<string>();
  const commands = new CommandOwners(catalogue);
  for (const { file, ...read } of readings) {
    const { document, workflow, broken, faults } = checkReading(read, known, { named: false });
    for (const fault of faults) if (!isConsequence(fault, document, unreadable)) reading.faults.push(fault);
    if (broken !== undefined) reading.broken.push(broken);
    if (document === undefined || workflow === undefined) continue;
    const owner = owners.get(workflow.name);
    if (owner !== undefined) {
      if (!owner.reported) reading.faults.push(duplicate(document, workflow.name, owner.file));
      owner.reported = true;
      continue;
    }
    owners.set(workflow.name, { file, reported: false });
    const circle = circleFrom(workflow.name, workflows);
    if (circle !== undefined) {
      if (!circle.some((name) => inCircles.has(name))) reading.faults.push(inCircle(document, circle));
      for (const name of circle) inCircles.add(name);
      continue;
    }
    const enabled = isEnabled(document, workflow, catalogue);
    if (typeof enabled !== "boolean") {
      reading.faults.push(enabled);
      continue;
    }
    const active = enabled && !faults.some(({ code }) => code === "PLUGIN_NOT_ENABLED");
    const duplicates = active ? commands.add(document, workflow) : [];
    if (duplicates.length > 0) {
      for (const fault of duplicates) reading.faults.push(fault);
      continue;
    }
    sound.set(workflow.name, { workflow, active });
  }
  link(sound, reading);
  return reading;
}

/** Gives each workflow what it calls; one that calls a broken one is broken, too, though the mistake is not its own. */
function link(
  sound: ReadonlyMap<string, { workflow: LoadedWorkflow; active: boolean }>,
  reading: WorkflowsReading,
): void {
  const all = new Map([...sound].map(([name, { workflow }]) => [name, workflow]));
  const missingOf = new Map<string, string | undefined>();
  const missing = (name: string): string | undefined => {
    if (!missingOf.has(name))
      missingOf.set(
        name,
        callsIn(all.get(name)!.document)
          .map((called) => (all.has(called) ? missing(called) : called))
          .find((inner) => inner !== undefined),
      );
    return missingOf.get(name);
  };
  for (const { workflow, active } of sound.values()) {
    const { name, file, document } = workflow;
    const absent = missing(name);
    if (absent === undefined) {
      const linked = { ...workflow, calls: callsOf(workflow, all) };
      reading.callable.set(name, linked);
      (active ? reading.active : reading.inactive).push(linked);
    } else if (document.on !== undefined && active) {
      const faults = [`the workflow ${absent}, which it calls, has faults`];
      reading.broken.push({ name, file, on: document.on, faults });
    }
  }
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
  const address = valueAt(document?.value as Json, parsePointer(pointer));
  return typeof address === "string" && unreadable.some((name) => address.startsWith(`${name}/`));
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
