import type { WorkflowStep } from "../../schemas/workflow.types.ts";
import { type Document, faultAt } from "./document.ts";
import type { Fault } from "./fault.ts";

const ofAll = ["id", "name", "if", "continueOnError"];
const ofBodies = ["onFailure", "finally", "outputs", "abortOn"];
const forms = {
  uses: ["uses", "with", "retry", "timeout", "undo", "onProgress"],
  forEach: ["forEach", "as", "maxParallel", "steps", ...ofBodies],
  parallel: ["parallel", ...ofBodies],
  steps: ["steps", ...ofBodies],
};
const ofCalls = ["uses", "with", "undo"];
const ofWaits = ["uses", "with", "timeout"];

/** A step has one of four forms, and only the members of that form. `isBroken`: it may lack what was set aside. */
export function checkForm(step: WorkflowStep, place: string, document: Document, isBroken: boolean): Fault[] {
  const form = (["uses", "forEach", "parallel", "steps"] as const).find((name) => step[name] !== undefined);
  if (form === undefined) {
    const message = "a step has `uses`, `forEach`, `parallel` or `steps`";
    return isBroken ? [] : [faultAt(document, place, { code: "STEP_FORM", message, where: "object" })];
  }
  const { name, own } = membersOf(step, form);
  const foreign = Object.keys(step).filter((key) => !ofAll.includes(key) && !own.includes(key));
  // Two forms in one step are one mistake, and the other members of the second form are no further ones.
  const second = (["forEach", "parallel", "steps"] as const).find((name) => foreign.includes(name));
  const faults = foreign
    .filter((key) => second === undefined || key === second || !forms[second].includes(key))
    .map((key) =>
      faultAt(document, `${place}/${key}`, {
        code: "STEP_FORM",
        message: `a step with \`${name}\` has no \`${key}\``,
        where: "key",
      }),
    );
  if (form === "forEach" && step.steps === undefined && !isBroken) {
    const message = "`steps` is missing: what to do for each item";
    faults.push(faultAt(document, place, { code: "KEY_MISSING", message, where: "object" }));
  }
  return faults;
}

function membersOf({ uses }: WorkflowStep, form: keyof typeof forms): { name: string; own: string[] } {
  if (form === "uses" && uses!.startsWith("workflow:")) return { name: "uses: workflow:", own: ofCalls };
  if (form === "uses" && uses === "host/wait") return { name: "uses: host/wait", own: ofWaits };
  return { name: form, own: forms[form] };
}
