// A workflow's document, made ready to run: the same tree with its expressions compiled and its forms told apart.

import type { Workflow as WorkflowDocument, WorkflowStep } from "../../schemas/workflow.types.ts";
import { compile, type Template } from "../expressions/index.ts";
import type { Json } from "../sdk.ts";

export interface Program extends Body {
  name: string;
  vars: Template;
}

/** What a workflow, a block and an item of a `forEach` have in common. */
export interface Body {
  steps: Node[];
  onFailure: Node[];
  finally: Node[];
  outputs: Template | undefined;
}

interface Common {
  id: string | undefined;
  condition: Template | undefined;
  continueOnError: boolean;
}

export interface StepNode extends Common {
  form: "step";
  uses: string;
  with: Template;
  timeout: Template | undefined;
  retry: Template | undefined;
}

export interface BlockNode extends Common, Body {
  form: "block";
}

export interface LoopNode extends Common, Body {
  form: "loop";
  items: Template;
  as: string | undefined;
}

export type Node = StepNode | BlockNode | LoopNode;

export function compileProgram(document: WorkflowDocument): Program {
  return { name: document.name, vars: template(document.vars ?? {}), ...compileBody(document) };
}

function compileBody(source: Pick<WorkflowDocument, "steps" | "onFailure" | "finally" | "outputs">): Body {
  return {
    steps: source.steps.map(compileNode),
    onFailure: (source.onFailure ?? []).map(compileNode),
    finally: (source.finally ?? []).map(compileNode),
    outputs: optional(source.outputs),
  };
}

function compileNode(step: WorkflowStep): Node {
  const common: Common = {
    id: step.id,
    condition: optional(step.if),
    continueOnError: step.continueOnError ?? false,
  };
  if (step.uses !== undefined) {
    const own = {
      uses: step.uses,
      with: template(step.with ?? {}),
      timeout: optional(step.timeout),
      retry: optional(step.retry),
    };
    return { form: "step", ...common, ...own };
  }
  const body = compileBody({ ...step, steps: step.steps ?? [] });
  if (step.forEach === undefined) return { form: "block", ...common, ...body };
  return { form: "loop", ...common, ...body, items: template(step.forEach), as: step.as };
}

const template = (value: unknown): Template => compile(value as Json);
const optional = (value: unknown): Template | undefined => (value === undefined ? undefined : template(value));
