// What a run would do, step by step, as far as that can be known before: nothing is run, written or accepted. Values that
// only the run itself brings forth stay as they are written, as expressions.

import { join } from "node:path";
import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";
import { checkInput } from "../engine/input-checks.ts";
import type { FindStep, LoadedWorkflow } from "../engine/workflow.ts";
import { toFailure } from "../errors.ts";
import type { HostDocuments } from "../loading/read-host.ts";
import type { HostLog } from "../log.ts";
import type { Json, JsonObject, StepContext } from "../sdk.ts";
import { isKnown, type Known, resolveKnown } from "./known-values.ts";

export interface PlannedStep {
  /** Its place in the document, as a JSON Pointer. */
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
}

export interface PlanSurroundings {
  documents: Pick<HostDocuments, "catalogue" | "device">;
  findStep: FindStep;
  dataDirectory: string;
  log: HostLog;
}

/** A loop with more items than this is told once, as a whole. */
const toldItems = 20;

/** Rejects with INPUT_INVALID, or EXPRESSION_FAILED where a value that is known cannot be computed. */
export async function planRun(
  workflow: LoadedWorkflow,
  input: Json,
  surroundings: PlanSurroundings,
): Promise<PlannedStep[]> {
  const planner = new Planner(workflow, surroundings);
  await planner.workflow(workflow.document, structuredClone(input), "", 0);
  return planner.planned;
}

class Planner {
  readonly planned: PlannedStep[] = [];
  readonly #workflow: LoadedWorkflow;
  readonly #surroundings: PlanSurroundings;
  readonly #directory: string;

  constructor(workflow: LoadedWorkflow, surroundings: PlanSurroundings) {
    this.#workflow = workflow;
    this.#surroundings = surroundings;
    this.#directory = join(surroundings.dataDirectory, "runs", "planned");
  }

  async workflow(document: Workflow, input: Json, place: string, depth: number): Promise<void> {
    checkInput(document.name, document.inputs as JsonObject | undefined, input);
    const { catalogue, device = null } = this.#surroundings.documents;
    const run = { id: "planned", workflow: document.name, retryOf: null, directory: this.#directory };
    const outer: Known = { inputs: input, run, config: catalogue.config, device: device as Json, event: {} };
    const vars = resolveKnown((document.vars ?? {}) as Json, outer);
    await this.#list(document.steps, `${place}/steps`, { ...outer, ...(isKnown(vars) ? { vars } : {}) }, depth);
  }

  async #list(steps: WorkflowStep[], place: string, known: Known, depth: number): Promise<void> {
    for (const [index, step] of steps.entries()) await this.#step(step, `${place}/${index}`, known, depth);
  }

  async #step(step: WorkflowStep, place: string, known: Known, depth: number): Promise<void> {
    const about = { place, depth, ...(step.id === undefined ? {} : { id: step.id }) };
    const condition = step.if === undefined ? true : resolveKnown(step.if, known);
    const sure = isKnown(condition);
    if (sure && condition !== true) {
      this.planned.push({ ...about, does: formOf(step), says: "its condition does not hold", outlook: "skip" });
      return;
    }
    const outlook = sure ? ("run" as const) : ("maybe" as const);
    const when = sure ? "" : `if ${step.if}: `;
    if (step.uses?.startsWith("workflow:")) return this.#call(step, { ...about, outlook }, when, known);
    if (step.uses !== undefined) {
      const told = await this.#ask({ ...step, uses: step.uses }, known);
      this.planned.push({ ...about, does: step.uses, outlook, ...told, says: when + told.says });
      return;
    }
    const { items, says } = this.#itemsOf(step, known);
    this.planned.push({ ...about, does: formOf(step), says: when + says, outlook });
    for (const names of items) {
      const inside = { ...known, ...names };
      for (const [index, branch] of (step.parallel ?? []).entries())
        await this.#list(branch, `${place}/parallel/${index}`, inside, depth + 1);
      await this.#list(step.steps ?? [], `${place}/steps`, inside, depth + 1);
    }
  }

  /** What the inside is told for: once for a block, once for each item that is known. */
  #itemsOf({ forEach, as }: WorkflowStep, known: Known): { items: JsonObject[]; says: string } {
    if (forEach === undefined) return { items: [{}], says: "" };
    const list = resolveKnown(forEach as Json, known);
    if (!isKnown(list) || !Array.isArray(list)) return { items: [{}], says: `for each of ${String(forEach)}` };
    if (list.length > toldItems) return { items: [{}], says: `for each of ${list.length} items` };
    const items = list.map((item, index) => ({ index, ...(as === undefined ? {} : { [as]: item }) }));
    return { items, says: `for each of ${list.length} ${list.length === 1 ? "item" : "items"}` };
  }

  async #call(
    step: WorkflowStep,
    about: Omit<PlannedStep, "does" | "says">,
    when: string,
    known: Known,
  ): Promise<void> {
    const name = step.uses!.slice("workflow:".length);
    const called = this.#workflow.calls.get(name);
    const input = resolveKnown((step.with ?? {}) as Json, known);
    this.planned.push({ ...about, does: step.uses!, says: `${when}the steps of ${name}` });
    if (called === undefined) return;
    if (isKnown(input)) {
      await this.workflow(called.document, structuredClone(input), about.place, about.depth + 1);
      return;
    }
    const { config, device } = known;
    const outer = { ...(config === undefined ? {} : { config }), ...(device === undefined ? {} : { device }) };
    await this.#list(called.document.steps, `${about.place}/steps`, outer, about.depth + 1);
  }

  async #ask(
    step: { uses: string; with?: unknown },
    known: Known,
  ): Promise<Pick<PlannedStep, "says"> & Partial<PlannedStep>> {
    const { catalogue } = this.#surroundings.documents;
    const description = catalogue.steps.get(step.uses)?.description ?? "";
    const input = resolveKnown((step.with ?? {}) as Json, known);
    if (!isKnown(input)) return { says: `${description} (its input is known only when it comes to it)` };
    try {
      const found = this.#surroundings.findStep(step.uses);
      const problems = found.checkInput(input as Json);
      if (problems.length > 0) return { says: `would fail: ${problems.join("; ")}` };
      const { implementation } = found;
      const context = this.#contextOf(found);
      if ((await implementation.check?.(input, context)) !== undefined)
        return { says: "all is as it should be already", outlook: "unchanged" };
      return { says: (await implementation.plan?.(input, context)) ?? description };
    } catch (error) {
      const { code, message } = toFailure(error);
      return { says: `cannot be said: ${message} (${code})` };
    }
  }

  // What a step does through its context would change something; so there is nothing behind it.
  #contextOf(step: ReturnType<FindStep>): StepContext {
    const refuse = () => Promise.reject(new Error("a plan changes nothing"));
    return {
      signal: AbortSignal.timeout(30_000),
      log: this.#surroundings.log.child({ plugin: step.plugin }),
      progress: () => {},
      checkpoint: refuse,
      lastCheckpoint: undefined,
      idempotencyKey: "planned",
      directory: this.#directory,
      run: { id: "planned", workflow: this.#workflow.name, retryOf: null },
      services: {},
      secret: step.secret,
      database: step.database,
      fetch: step.fetch,
      throttle: async () => {},
      processStarted: refuse,
    };
  }
}

function formOf({ uses, forEach, parallel }: WorkflowStep): string {
  return uses ?? (forEach !== undefined ? "forEach" : parallel !== undefined ? "parallel" : "block");
}
