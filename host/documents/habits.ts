// Words that authors bring along from other systems, and what stands for them here.

/** What was probably meant by a key that is not known: the key of ours, or a sentence where there is none. */
export type Habit = { suggestion: string } | { hint: string };

const key = (suggestion: string): Habit => ({ suggestion });
const hint = (text: string): Habit => ({ hint: text });

const program = hint('a program is run by `"uses": "script/run"`, with `command` in its `with`');
const branch = hint("there is no other branch: each step, or block of steps, has its own `if`");
const surroundings = hint("what a program finds in its environment is `environment` in the `with` of script/run");

const failing = [key("onFailure"), "catch rescue onError on-error"] as const;

const ofSteps = table(
  [program, "run script shell bash cmd exec command"],
  [key("if"), "when condition only"],
  [hint("`if` takes `!`: ${{ !(...) }}"), "unless"],
  [branch, "then else elseif elif switch case cases"],
  [key("with"), "inputs input args arguments params parameters options config"],
  [key("forEach"), "for foreach each loop with_items"],
  [key("as"), "loop_var itemName item variable"],
  [key("steps"), "do tasks block"],
  [hint("what is repeated for each of a list is a `forEach`"), "strategy matrix"],
  [hint("a list is gone through by `forEach`, and what may fail is tried again by `retry`"), "while until"],
  [
    hint("steps run in the order in which they stand; `parallel` has those that need not wait"),
    "needs depends_on dependsOn after",
  ],
  [hint('it stands in `retry`: `"retry": { "retries": 3 }`'), "retries attempts"],
  [key("timeout"), "timeout-minutes"],
  [key("continueOnError"), "ignore_errors allow_failure"],
  [surroundings, "env environment"],
  [hint("the folder of a program is `directory` in the `with` of script/run"), "working-directory cwd"],
  [key("uses"), "plugin action type call"],
  [hint('a workflow is called by `"uses": "workflow:<name>"`'), "workflow"],
  failing,
  [key("finally"), "always ensure"],
  [key("undo"), "rollback compensate"],
  [key("id"), "register"],
);

const ofSideSteps = table(
  [program, "run script shell bash cmd exec command"],
  [key("uses"), "plugin action type call"],
  [key("with"), "inputs input args arguments params parameters options config"],
  [key("timeout"), "timeout-minutes"],
  [hint("its own step decides whether it is done"), "if when condition"],
);

const ofWorkflows = table(
  [key("name"), "id title"],
  [key("on"), "trigger triggers when schedule"],
  [hint("`steps` run one after the other, and `parallel` has lists that run side by side"), "jobs"],
  [key("steps"), "tasks stages pipeline actions"],
  [key("inputs"), "params parameters input arguments"],
  [key("vars"), "variables"],
  [hint("values of the workflow stand in `vars`, those for programs in `environment` of script/run"), "env"],
  failing,
  [key("finally"), "always cleanup ensure"],
  [key("outputs"), "output result results"],
  [hint('a workflow is off by `"enabled": false`'), "disabled"],
  [key("enabled"), "if"],
  [key("requires"), "needs"],
  [hint("each step has its own `timeout` and `retry`"), "defaults"],
);

const ofTriggers = table([key("trigger"), "uses type event name"]);

const ofMembers: Readonly<Record<string, ReadonlyMap<string, Habit>>> = {
  retry: table([key("retries"), "count max attempts times limit"], [key("delay"), "interval wait"]),
  window: table([key("from"), "start begin after"], [key("to"), "end until before"]),
  concurrency: table(
    [hint('`"whenBusy": "supersede"` ends the run that is under way'), "cancel-in-progress"],
    [hint("runs of one group go one by one"), "limit max"],
    [key("group"), "key name"],
  ),
};

function table(...rows: (readonly [Habit, string])[]): ReadonlyMap<string, Habit> {
  return new Map(rows.flatMap(([habit, words]) => words.split(" ").map((word) => [word, habit] as const)));
}

/** Of a key in the object at a pointer within a workflow, or within one of its steps. */
export function habitAt(pointer: string, name: string, part: "workflow" | "steps" | "step"): Habit | undefined {
  return wordsAt(pointer, part)?.get(name);
}

function wordsAt(pointer: string, part: string): ReadonlyMap<string, Habit> | undefined {
  if (pointer === "") return part === "workflow" ? ofWorkflows : ofSteps;
  if (part === "workflow" && /^\/on\/\d+$/.test(pointer)) return ofTriggers;
  const member = pointer.slice(pointer.lastIndexOf("/") + 1);
  if (part === "step" && (pointer === "/undo" || pointer === "/onProgress")) return ofSideSteps;
  return Object.hasOwn(ofMembers, member) ? ofMembers[member] : undefined;
}

const outcomes = table(
  [key("succeeded"), "success ok done passed"],
  [key("failed"), "failure error"],
  [key("skipped"), "skip cancelled"],
);

/** Of a text that a value never is, which of the texts that it may be. */
export function meantOutcome(text: string, choices: readonly string[]): { suggestion?: string } {
  const habit = outcomes.get(text.toLowerCase());
  return habit !== undefined && "suggestion" in habit && choices.includes(habit.suggestion) ? habit : {};
}

const contextHints: Record<string, string> = {
  env: "values of the workflow stand in `vars`",
  secrets:
    'a secret of the device is named by `{"$secret": NAME}`, as the whole value of an input that its step marks as a secret; one of the run is an input with `"writeOnly": true`',
  github: "`event` has what the trigger saw, and `run` the run",
  matrix: "`forEach` with `as` gives each item a name",
  item: "`forEach` gives each item the name that stands in its `as`",
  job: "`run` has the run, and `steps.<id>.status` how a step has ended",
  needs: "`steps.<id>.outputs` has what a step returned",
  outputs: "what a step returned is `steps.<id>.outputs`",
  output: "what a step returned is `steps.<id>.outputs`",
  params: "what the workflow was given is `inputs`",
  now: "the time at which the run began is `run.startedAt`",
};

/** Of a name with which an expression begins. */
export function contextHint(name: string): string | undefined {
  return Object.hasOwn(contextHints, name) ? contextHints[name] : undefined;
}

/** The path of a value, as an expression has it. */
const path = String.raw`((?:inputs|vars|steps|run|event|device|config|error|progress)\.[\w.-]*\w)`;
const whole = new RegExp(String.raw`^\s*(?:\$?\{\{?|\$\(?\{?\{?|)\s*${path}\s*\}{0,2}\)?\s*$`);
const within = new RegExp(String.raw`\$?\{\{?\s*${path}\s*\}\}?`);

/** What an author who leaves out or mistypes the marks of an expression has written: the expression, with its marks. */
export function unmarkedExpression(text: string): string | undefined {
  if (text.includes("${{")) return undefined;
  const found = whole.exec(text);
  return found === null ? undefined : `\${{ ${found[1]} }}`;
}

/** The same within a longer text: an expression in the marks of other languages. */
export function foreignMarks(text: string): { offset: number; length: number; suggestion: string } | undefined {
  if (text.includes("${{")) return undefined;
  const found = within.exec(text);
  return found === null
    ? undefined
    : { offset: found.index, length: found[0].length, suggestion: `\${{ ${found[1]} }}` };
}
