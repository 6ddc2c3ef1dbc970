// What a run would do, step by step, as far as that can be known before: nothing is run, written or accepted. Values that
// only the run itself brings forth stay as they are written, as expressions.

import { join } from "node:path";
import type { SideStep, Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";
import { compileSchema } from "../documents/schema-check.ts";
import { checkInput } from "../engine/input-checks.ts";
import { checkRequirements } from "../engine/requirements.ts";
import { namesSecret, setSecretsAside } from "../engine/run-secrets.ts";
import type { FindStep, LoadedWorkflow } from "../engine/workflow.ts";
import { GantryError } from "../errors.ts";
import type { HostDocuments } from "../loading/read-host.ts";
import type { HostLog } from "../log.ts";
import type { Json, JsonObject } from "../sdk.ts";
import { describeStep } from "./describe-step.ts";
import { hideSecrets, type Known, knownMembers, type Resolved, resolve, resolveWhole } from "./known-values.ts";

export interface PlannedStep {
  /** Its place in the document, as a JSON Pointer; below that of the call, where it is in a called workflow. */
  place: string;
  /** How many blocks, loops and workflows it stands in. */
  depth: number;
  id?: string;
  /** `plugin/step`, `workflow:<name>`, or the form of what has an inside: block, forEach, parallel. */
  does: string;
  /** What the step says it would do, or why that is not known. */
  says: string;
  /** run, skip (its condition does not hold), unchanged (all is as it should be), or maybe. */
  outlook: "run" | "skip" | "unchanged" | "maybe";
  /** The list it stands in, where that is not `steps`. */
  list?: "onFailure" | "finally";
  /** The step that would take it back. */
  undo?: string;
}

export interface PlanSurroundings {
  documents: Pick<HostDocuments, "catalogue" | "device" | "plugins">;
  findStep: FindStep;
  /** The run's, which need not be there. */
  dataDirectory: string;
  log: HostLog;
}

/** A loop with more items than this is told once, as a whole. */
const toldItems = 20;
/** More would be no help to anybody. */
const maxTold = 5000;

/**
 * Rejects where the run would not be accepted (INPUT_INVALID, REQUIREMENT_UNMET), and with EXPRESSION_FAILED where a value
 * that is known cannot be computed.
 */
export async function planRun(
  workflow: LoadedWorkflow,
  given: Json,
  surroundings: PlanSurroundings,
): Promise<PlannedStep[]> {
  const { documents, dataDirectory } = surroundings;
  const { document } = workflow;
  const input = structuredClone(given);
  if (namesSecret(input))
    throw new GantryError("INPUT_INVALID", `${workflow.name}: an input must not have a member called $secret`);
  const schema = document.inputs as JsonObject | undefined;
  checkInput(workflow.name, schema, input);
  setSecretsAside(schema, input);
  const planner = new Planner(workflow, surroundings);
  const known = planner.knownOf(document, { value: input, open: [] });
  const versionOf = (name: string) => documents.plugins.find((plugin) => plugin.name === name)?.manifest.version;
  checkRequirements(document, { versionOf, dataDirectory, scope: known.scope });
  try {
    await planner.body(document, "", { known, isSure: true, depth: 0 });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    const says = `the rest of more than ${maxTold} steps is left out`;
    planner.planned.push({ place: "", depth: 0, does: "…", says, outlook: "maybe" });
  }
  return planner.planned;
}

class Enough extends Error {}

interface Here {
  known: Known;
  /** Whether it is sure that the run comes here, if nothing fails. */
  isSure: boolean;
  depth: number;
  list?: "onFailure" | "finally";
}

type Body = Partial<Pick<Workflow, "steps" | "onFailure" | "finally">>;

class Planner {
  readonly planned: PlannedStep[] = [];
  readonly #workflow: LoadedWorkflow;
  readonly #surroundings: PlanSurroundings;

  constructor(workflow: LoadedWorkflow, surroundings: PlanSurroundings) {
    this.#workflow = workflow;
    this.#surroundings = surroundings;
  }

  /** What is known before a workflow begins with this input. */
  knownOf(document: Workflow, input: Resolved): Known {
    const { catalogue, device = null } = this.#surroundings.documents;
    const partial = new Set(["run"]);
    if (input.open.length > 0) partial.add("inputs");
    const scope: JsonObject = {
      inputs: input.open.length === 0 ? input.value : knownMembers(input),
      run: { workflow: this.#workflow.name, retryOf: null },
      config: catalogue.config,
      device: device as Json,
      event: {},
    };
    const vars = resolve((document.vars ?? {}) as Json, { scope, partial });
    if (vars.open.length > 0) partial.add("vars");
    return { scope: { ...scope, vars: knownMembers(vars) }, partial };
  }

  async body(body: Body, place: string, here: Here): Promise<void> {
    await this.#list(body.steps ?? [], `${place}/steps`, here);
    await this.#list(body.onFailure ?? [], `${place}/onFailure`, { ...here, isSure: false, list: "onFailure" });
    await this.#list(body.finally ?? [], `${place}/finally`, { ...here, list: "finally" });
  }

  async #list(steps: WorkflowStep[], place: string, here: Here): Promise<void> {
    for (const [index, step] of steps.entries()) await this.#step(step, `${place}/${index}`, here);
  }

  /** What cannot be computed or is not taken is where the run would fail. */
  async #step(step: WorkflowStep, place: string, here: Here): Promise<void> {
    try {
      await this.#known(step, place, here);
    } catch (error) {
      if (!(error instanceof GantryError)) throw error;
      this.#tell(step, place, here, `would fail: ${error.message} (${error.code})`, here.isSure ? "run" : "maybe");
    }
  }

  #tell(step: WorkflowStep, place: string, here: Here, says: string, outlook: PlannedStep["outlook"]): void {
    if (this.planned.length >= maxTold) throw new Enough();
    const { id, undo } = step;
    this.planned.push({
      place,
      depth: here.depth,
      ...(id === undefined ? {} : { id }),
      does: formOf(step),
      says,
      outlook,
      ...(here.list === undefined ? {} : { list: here.list }),
      ...(undo === undefined ? {} : { undo: undo.uses }),
    });
  }

  async #known(step: WorkflowStep, place: string, here: Here): Promise<void> {
    const holds = step.if === undefined ? true : resolveWhole(step.if as Json, here.known);
    const isSure = here.isSure && holds !== undefined;
    const when = holds === undefined ? `if ${step.if}: ` : "";
    const tell = (says: string, outlook: PlannedStep["outlook"] = isSure ? "run" : "maybe") =>
      this.#tell(step, place, here, `${when}${says}`.trim(), outlook);
    if (holds !== undefined && holds !== true) return tell("its condition does not hold", "skip");
    const inside: Here = { known: here.known, isSure, depth: here.depth + 1 };
    if (step.uses?.startsWith("workflow:")) {
      tell("");
      return this.#call(step, place, inside);
    }
    if (step.uses !== undefined) {
      const { says, unchanged } = await this.#describe({ ...step, uses: step.uses }, here.known);
      return tell(says, unchanged ? "unchanged" : undefined);
    }
    if (step.forEach === undefined) {
      tell("");
      for (const [index, branch] of (step.parallel ?? []).entries())
        await this.#list(branch, `${place}/parallel/${index}`, inside);
      return this.body(step, place, inside);
    }
    await this.#loop(step, place, inside, tell);
  }

  /** Each item that is known, if they are few; otherwise the inside once, for all of them. */
  async #loop(step: WorkflowStep, place: string, here: Here, tell: (says: string) => void): Promise<void> {
    const items = resolveWhole(step.forEach as Json, here.known);
    if (!Array.isArray(items) || items.length > toldItems) {
      tell(`for each of ${Array.isArray(items) ? `${items.length} items` : String(step.forEach)}`);
      return this.body(step, place, { ...here, isSure: here.isSure && Array.isArray(items) });
    }
    tell(`for each of ${items.length} ${items.length === 1 ? "item" : "items"}`);
    for (const [index, item] of items.entries()) {
      const names = { index, ...(step.as === undefined ? {} : { [step.as]: item }) };
      const known = { ...here.known, scope: { ...here.known.scope, ...names } };
      await this.body(step, place, { ...here, known });
    }
  }

  async #call(step: WorkflowStep, place: string, here: Here): Promise<void> {
    const document = this.#workflow.calls.get(step.uses!.slice("workflow:".length))?.document;
    if (document === undefined) return;
    const input = structuredClone(resolve((step.with ?? {}) as Json, here.known));
    // Where all of it is known, it is checked as the run would; otherwise it gets what its schema adds.
    if (input.open.length === 0) checkInput(document.name, document.inputs as JsonObject | undefined, input.value);
    else if (document.inputs !== undefined)
      compileSchema(document.inputs as JsonObject, { defaults: true })(input.value);
    await this.body(document, place, { ...here, known: this.knownOf(document, input) });
  }

  #describe({ uses, with: input = {} }: SideStep, known: Known) {
    const { documents, findStep, dataDirectory, log } = this.#surroundings;
    return describeStep(uses, hideSecrets(resolve(input as Json, known)), {
      catalogue: documents.catalogue,
      findStep,
      workflow: this.#workflow.name,
      directory: join(dataDirectory, "runs", "planned"),
      log,
    });
  }
}

function formOf({ uses, forEach, parallel }: WorkflowStep): string {
  return uses ?? (forEach !== undefined ? "forEach" : parallel !== undefined ? "parallel" : "block");
}
