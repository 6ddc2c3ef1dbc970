import type { LoadedWorkflow } from "../engine/workflow.ts";
import { GantryError } from "../errors.ts";
import { loadWorkflow } from "../loading/load-workflow.ts";
import type { HostDocuments } from "../loading/read-host.ts";
import type { HostLog } from "../log.ts";
import { nearest } from "../nearest.ts";

/** A document in a configured folder, by name; or any document, by the absolute path of its file. */
export type WorkflowName = { workflow: string } | { file: string };

/** Throws WORKFLOW_UNKNOWN, or WORKFLOW_BROKEN once each fault is in the log. */
export function findWorkflow(name: WorkflowName, documents: HostDocuments, log: HostLog): LoadedWorkflow {
  return "file" in name ? readWorkflow(name.file, documents, log) : knownWorkflow(name.workflow, documents);
}

function knownWorkflow(name: string, { workflows, inactiveWorkflows }: HostDocuments): LoadedWorkflow {
  const all = [...workflows, ...inactiveWorkflows];
  const found = all.find((workflow) => workflow.name === name);
  if (found !== undefined) return found;
  const meant = nearest(
    name,
    all.map((workflow) => workflow.name),
  );
  throw new GantryError(
    "WORKFLOW_UNKNOWN",
    `no workflow is called ${name}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
  );
}

function readWorkflow(file: string, { catalogue }: HostDocuments, log: HostLog): LoadedWorkflow {
  const { workflow, faults } = loadWorkflow(file, catalogue, { named: true });
  for (const { message, file, line, column, code, severity } of faults)
    log[severity === "fault" ? "error" : "info"](message, { file, line, column, code });
  if (workflow !== undefined) return workflow;
  const [first] = faults.filter(({ severity }) => severity === "fault");
  const place = first === undefined ? "" : `: ${first.message} (line ${first.line}, column ${first.column})`;
  throw new GantryError("WORKFLOW_BROKEN", `${file} has faults${place}`);
}
