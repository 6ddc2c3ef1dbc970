import type { WorkflowStep } from "../../schemas/workflow.types.ts";
import type { JsonObject } from "../sdk.ts";
import type { Checking } from "./checking.ts";

const ofAll = ["id", "name", "if", "continueOnError"];
const ofBodies = ["onFailure", "finally", "outputs", "abortOn"];
const forms = {
  uses: ["uses", "with", "retry", "timeout", "undo", "onProgress"],
  forEach: ["forEach", "as", "maxParallel", "steps", ...ofBodies],
  parallel: ["parallel", ...ofBodies],
  steps: ["steps", ...ofBodies],
};
const ofWorkflowCalls = ["uses", "with", "undo"];
const ofWaits = ["uses", "with", "timeout"];

/** The members of a step of a plugin. */
export const ofCalls: readonly string[] = [...ofAll, ...forms.uses];

/** What a step may have, as far as its form shows. */
export function membersOfForm(step: JsonObject): { name: string; known: readonly string[] } | undefined {
  const form = formOf(step as Partial<WorkflowStep>);
  if (form === undefined || (form === "uses" && typeof step.uses !== "string")) return undefined;
  const { name, own } = membersOf(step as Partial<WorkflowStep>, form);
  // A block becomes a loop by the very key that is misspelt.
  return { name, known: [...ofAll, ...own, ...(form === "steps" ? ["forEach", "as", "maxParallel"] : [])] };
}

const formOf = (step: Partial<WorkflowStep>) =>
  (["uses", "forEach", "parallel", "steps"] as const).find((name) => step[name] !== undefined);

/** A step has one of four forms, and only the members of that form. */
export function checkForm(step: WorkflowStep, place: string, { report, broken }: Checking): void {
  // It may lack what was set aside.
  const isBroken = broken.has(place);
  const form = formOf(step);
  if (form === undefined) {
    const message = "a step has `uses`, `forEach`, `parallel` or `steps`";
    if (!isBroken) report(place, { code: "STEP_FORM", message, where: "object" });
    return;
  }
  const { name, own } = membersOf(step, isLoop(step, isBroken) ? "forEach" : form);
  const foreign = Object.keys(step).filter((key) => !ofAll.includes(key) && !own.includes(key));
  // Two forms in one step are one mistake, and the other members of the second form are no further ones.
  const second = (["forEach", "parallel", "steps"] as const).find((name) => foreign.includes(name));
  for (const key of foreign) {
    if (second !== undefined && key !== second && forms[second].includes(key)) continue;
    const message = `a step with \`${name}\` has no \`${key}\``;
    report(`${place}/${key}`, { code: "STEP_FORM", message, where: "key" });
  }
  if (form === "forEach" && step.steps === undefined && !isBroken) {
    const message = "`steps` is missing: what to do for each item";
    report(place, { code: "KEY_MISSING", message, where: "object" });
  }
}

/** Also one whose list was set aside: what else it has says that it is one. */
export function isLoop({ forEach, as, maxParallel, uses }: WorkflowStep, isBroken: boolean): boolean {
  if (forEach !== undefined) return uses === undefined;
  return isBroken && uses === undefined && (as !== undefined || maxParallel !== undefined);
}

function membersOf({ uses }: Partial<WorkflowStep>, form: keyof typeof forms): { name: string; own: string[] } {
  if (form === "uses" && uses!.startsWith("workflow:")) return { name: "uses: workflow:", own: ofWorkflowCalls };
  if (form === "uses" && uses === "host/wait") return { name: "uses: host/wait", own: ofWaits };
  return { name: form, own: forms[form] };
}
