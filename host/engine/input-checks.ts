import { compileSchema } from "../documents/schema-check.ts";
import { GantryError } from "../errors.ts";
import type { Json, JsonObject } from "../sdk.ts";
import type { LoadedWorkflow } from "./workflow.ts";

/** Holds inputs against the `inputs` of workflows, whose schemas are compiled at first use. */
export class InputChecks {
  readonly #checks = new WeakMap<LoadedWorkflow, ReturnType<typeof compileSchema>>();

  /** Fills in defaults (in place); throws INPUT_INVALID naming everything that does not match. */
  check(workflow: LoadedWorkflow, input: Json): void {
    const { inputs } = workflow.document;
    if (inputs === undefined) return;
    let problemsOf = this.#checks.get(workflow);
    if (problemsOf === undefined) {
      problemsOf = compileSchema(inputs as JsonObject, { defaults: true });
      this.#checks.set(workflow, problemsOf);
    }
    const problems = problemsOf(input).map(
      ({ pointer, message }) => `${pointer === "" ? "the input" : pointer} ${message}`,
    );
    if (problems.length === 0) return;
    throw new GantryError("INPUT_INVALID", `${workflow.name}: ${problems.join("; ")}`, { details: { problems } });
  }
}
