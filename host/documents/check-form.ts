import type { WorkflowStep } from "../../schemas/workflow.types.ts";
import { type Document, faultAt } from "./document.ts";
import type { Fault } from "./fault.ts";

const ofAll = ["id", "name", "if", "continueOnError"];
const ofBodies = ["onFailure", "finally", "outputs"];
const forms = {
  uses: ["uses", "with", "retry", "timeout"],
  forEach: ["forEach", "as", "steps", ...ofBodies],
  steps: ["steps", ...ofBodies],
};

/** A step has one of three forms, and only the members of that form. `isBroken`: it may lack what was set aside. */
export function checkForm(step: WorkflowStep, place: string, document: Document, isBroken: boolean): Fault[] {
  const form = (["uses", "forEach", "steps"] as const).find((name) => step[name] !== undefined);
  if (form === undefined) {
    const message = "a step has `uses`, `forEach` or `steps`";
    return isBroken ? [] : [faultAt(document, place, { code: "STEP_FORM", message, where: "object" })];
  }
  const foreign = Object.keys(step).filter((key) => !ofAll.includes(key) && !forms[form].includes(key));
  // Two forms in one step are one mistake, and the other members of the second form are no further ones.
  const second = (["forEach", "steps"] as const).find((name) => foreign.includes(name));
  const faults = foreign
    .filter((key) => second === undefined || key === second || !forms[second].includes(key))
    .map((key) =>
      faultAt(document, `${place}/${key}`, {
        code: "STEP_FORM",
        message: `a step with \`${form}\` has no \`${key}\``,
        where: "key",
      }),
    );
  if (form === "forEach" && step.steps === undefined && !isBroken) {
    const message = "`steps` is missing: what to do for each item";
    faults.push(faultAt(document, place, { code: "KEY_MISSING", message, where: "object" }));
  }
  return faults;
}
