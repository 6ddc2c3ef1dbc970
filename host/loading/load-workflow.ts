import { createHash } from "node:crypto";
import type { Workflow } from "../../schemas/workflow.types.ts";
import type { VerbCatalogue } from "../documents/catalogue.ts";
import { checkWorkflow } from "../documents/check-workflow.ts";
import { type Document, readDocument } from "../documents/document.ts";
import type { Fault } from "../documents/fault.ts";
import type { LoadedWorkflow } from "../engine/workflow.ts";

export interface WorkflowReading {
  document: Document | undefined;
  /** Undefined when the document has a fault. */
  workflow: LoadedWorkflow | undefined;
  faults: Fault[];
}

/** Reads and checks one workflow document. `named`: someone named this very file, and did not only keep it in a folder. */
export function loadWorkflow(file: string, catalogue: VerbCatalogue, { named }: { named: boolean }): WorkflowReading {
  const { document, faults } = readDocument(file);
  if (document === undefined) return { document, workflow: undefined, faults };
  const found = [...faults, ...checkWorkflow(document, catalogue, { named })];
  if (found.some(({ severity }) => severity === "fault")) return { document, workflow: undefined, faults: found };
  const content = document.value as unknown as Workflow;
  const { text } = document;
  const hash = createHash("sha256").update(text).digest("hex");
  return {
    document,
    workflow: { name: content.name, file, document: content, text, hash, calls: new Map() },
    faults: found,
  };
}
