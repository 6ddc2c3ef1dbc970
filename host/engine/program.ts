// A workflow's document, made ready to run: the same tree with its expressions compiled and its forms told apart.

import type { SideStep, Workflow as WorkflowDocument, WorkflowStep } from "../../schemas/workflow.types.ts";
import { secretsNamedIn } from "../documents/named-secrets.ts";
import { GantryError } from "../errors.ts";
import { compile, type Template } from "../expressions/index.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { pathsRead } from "./fixed-values.ts";

export interface Program extends Body {
  name: string;
  inputs: JsonObject | undefined;
  vars: Template;
  window: Template | undefined;
  limits: Template | undefined;
}

/** What a workflow, a block, an item of a `forEach` and a `parallel` have in common. */
export interface Body {
  steps: Node[];
  onFailure: Node[];
  finally: Node[];
  outputs: Template | undefined;
  abortOn: Template | undefined;
}

interface Common {
  id: string | undefined;
  condition: Template | undefined;
  continueOnError: boolean;
}

/** One call of a plugin's step, wherever it stands. */
export interface Action {
  uses: string;
  with: Template;
  timeout: Template | undefined;
  retry: Template | undefined;
  /** Keys from the top of `with` down to the secrets it names. */
  secrets: string[][];
}

export interface Undo extends Action {
  /** What it reads of the values that are there before its step acts. */
  reads: (string | number)[][];
}

export interface StepNode extends Common, Action {
  form: "step";
  undo: Undo | undefined;
  onProgress: Action | undefined;
}

/** `host/wait`: carried out by the planner itself, so that nothing has to be under way meanwhile. */
export interface WaitNode extends Common {
  form: "wait";
  uses: string;
  with: Template;
  timeout: Template | undefined;
}

export interface CallNode extends Common {
  form: "call";
  program: Program;
  with: Template;
  undo: Undo | undefined;
}

export interface BlockNode extends Common, Body {
  form: "block";
}

export interface LoopNode extends Common, Body {
  form: "loop";
  items: Template;
  as: string | undefined;
  maxParallel: Template | undefined;
}

export interface ParallelNode extends Common, Body {
  form: "parallel";
  branches: Node[][];
}

export type Node = StepNode | WaitNode | CallNode | BlockNode | LoopNode | ParallelNode;

/** `called`: the workflows it calls, directly or not, by name. Throws WORKFLOW_BROKEN where one is missing or a circle. */
export function compileProgram(
  document: WorkflowDocument,
  called: ReadonlyMap<string, WorkflowDocument> = new Map(),
): Program {
  return new Compiler(called).program(document);
}

class Compiler {
  readonly #called: ReadonlyMap<string, WorkflowDocument>;
  readonly #programs = new Map<string, Program | "under way">();

  constructor(called: ReadonlyMap<string, WorkflowDocument>) {
    this.#called = called;
  }

  program(document: WorkflowDocument): Program {
    return {
      name: document.name,
      inputs: document.inputs as JsonObject | undefined,
      vars: template(document.vars ?? {}),
      window: optional(document.window),
      limits: optional(document.limits),
      ...this.#body(document),
    };
  }

  #body(source: Pick<WorkflowDocument, "steps" | "onFailure" | "finally" | "outputs" | "abortOn">): Body {
    return {
      steps: source.steps.map(this.#node),
      onFailure: (source.onFailure ?? []).map(this.#node),
      finally: (source.finally ?? []).map(this.#node),
      outputs: optional(source.outputs),
      abortOn: optional(source.abortOn),
    };
  }

  #node = (step: WorkflowStep): Node => {
    const common: Common = {
      id: step.id,
      condition: optional(step.if),
      continueOnError: step.continueOnError ?? false,
    };
    if (step.uses !== undefined) {
      const action = actionOf({ ...step, uses: step.uses });
      if (step.uses.startsWith("workflow:")) {
        const program = this.#programOf(step.uses.slice("workflow:".length));
        return { form: "call", ...common, program, with: action.with, undo: undoOf(step) };
      }
      if (step.uses === "host/wait") return { form: "wait", ...common, ...action };
      const onProgress = step.onProgress === undefined ? undefined : actionOf(step.onProgress);
      return { form: "step", ...common, ...action, undo: undoOf(step), onProgress };
    }
    const body = this.#body({ ...step, steps: step.steps ?? [] });
    if (step.parallel !== undefined)
      return { form: "parallel", ...common, ...body, branches: step.parallel.map((list) => list.map(this.#node)) };
    if (step.forEach === undefined) return { form: "block", ...common, ...body };
    const maxParallel = optional(step.maxParallel);
    return { form: "loop", ...common, ...body, items: template(step.forEach), as: step.as, maxParallel };
  };

  #programOf(name: string): Program {
    const known = this.#programs.get(name);
    const document = this.#called.get(name);
    if (known === "under way" || document === undefined) {
      const why = known === undefined ? "is not there" : "calls itself";
      throw new GantryError("WORKFLOW_BROKEN", `the workflow ${name} ${why}`);
    }
    if (known !== undefined) return known;
    this.#programs.set(name, "under way");
    const program = this.program(document);
    this.#programs.set(name, program);
    return program;
  }
}

function actionOf(step: SideStep): Action {
  return {
    uses: step.uses,
    with: template(step.with ?? {}),
    timeout: optional(step.timeout),
    retry: optional(step.retry),
    secrets: secretsNamedIn((step.with ?? {}) as Json),
  };
}

function undoOf({ id, undo }: WorkflowStep): Undo | undefined {
  if (undo === undefined) return undefined;
  const { timeout = null, retry = null, with: input = {} } = undo;
  // The error and the step's own outputs are known when it is undone, and only then.
  const isLater = ([context, inner]: (string | number)[]) =>
    context === "error" || (context === "steps" && id !== undefined && inner === id);
  const reads = pathsRead([timeout, retry, input] as Json).filter((path) => !isLater(path));
  return { ...actionOf(undo), reads };
}

/** The place of a journal path that can be undone: a step or a call. */
export function undoableAt(program: Program, path: string): { id: string | undefined; undo: Undo } {
  const words = path.split("/");
  let body: Body = program;
  for (;;) {
    const list = words.shift() as "steps" | "onFailure" | "finally" | "parallel";
    const nodes = list === "parallel" ? (body as ParallelNode).branches[Number(words.shift())]! : body[list as "steps"];
    const node = nodes[Number(words.shift())]!;
    if (words.length === 0) return node as { id: string | undefined; undo: Undo };
    if (node.form === "loop") words.splice(0, 2);
    if (node.form === "call") words.shift();
    body = node.form === "call" ? node.program : (node as BlockNode);
  }
}

const template = (value: unknown): Template => compile(value as Json);
const optional = (value: unknown): Template | undefined => (value === undefined ? undefined : template(value));
