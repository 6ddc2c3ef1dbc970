// What is said of a mistake, where its place and code alone would not help.

import assert from "node:assert/strict";
import { test } from "node:test";
import { catalogueOfPlugins } from "./catalogue.ts";
import { checkText } from "./check-file.ts";

const catalogue = { ...catalogueOfPlugins(), workflows: new Map() };
const run = { uses: "script/run", with: { command: ["true"], directory: "/tmp" } };
const reads = (expression: string) => ({ ...run, with: { command: [`\${{ ${expression} }}`], directory: "/tmp" } });
const steps = (...list: object[]) => ({ steps: list });

const mistakes: [what: string, document: object, told: string][] = [
  [
    "a key of no step",
    steps({ ...run, colour: "red" }),
    "KEY_UNKNOWN /steps/0/colour `colour` is not known here; what may stand here: id, name, if, continueOnError, uses, with, retry, timeout, undo, onProgress",
  ],
  [
    "a misspelt key of another form of step",
    steps({ ...run, "on-failure": [] }),
    "KEY_UNKNOWN /steps/0/on-failure `on-failure` is not known here, and a step with `uses` has no `onFailure`",
  ],
  [
    "the word of another system for it",
    steps({ ...run, catch: [] }),
    "KEY_UNKNOWN /steps/0/catch `catch` is not known here, and a step with `uses` has no `onFailure`",
  ],
  [
    "a word for the id of a step",
    steps({ ...run, register: "x" }),
    "KEY_UNKNOWN /steps/0/register `register` is not known here → id",
  ],
  [
    "a step that is read by its name",
    steps({ ...run, name: "get it" }, reads("steps['get it'].outputs.output")),
    "REFERENCE_UNKNOWN /steps/1/with/command/0 no step has the id get it; expressions read the `id` of a step, and its `name` is for people",
  ],
  [
    "a step that is read by its name and has an id",
    steps({ ...run, id: "got", name: "fetch" }, reads("steps.fetch.outputs.output")),
    "REFERENCE_UNKNOWN /steps/1/with/command/0 no step has the id fetch; expressions read the `id` of a step, and its `name` is for people → got",
  ],
  [
    "an output that is read without `outputs`",
    steps({ ...run, id: "a" }, reads("steps.a.exitCode")),
    "REFERENCE_UNKNOWN /steps/1/with/command/0 a step has `outputs` and `status`, and no exitCode → outputs.exitCode",
  ],
  [
    "a program as an undo",
    steps({ ...run, undo: { run: "rm x" } }),
    'KEY_UNKNOWN /steps/0/undo/run `run` is not known here; a program is run by `"uses": "script/run"`, with `command` in its `with`',
  ],
  [
    "one input misspelt and another unknown",
    steps({ uses: "download/fetch", with: { url: "https://x/y", dir: "/tmp", sha256: "00" } }),
    "KEY_UNKNOWN /steps/0/with/dir `dir` is not known here → directory\n" +
      "KEY_UNKNOWN /steps/0/with/sha256 `sha256` is not known here; what may stand here: *",
  ],
  [
    "another word for an input that takes anything",
    steps({ uses: "mqtt/publish", with: { topic: "a", message: "x" } }),
    "KEY_UNKNOWN /steps/0/with/message `message` is not known here → payload",
  ],
  [
    "something else than one of several",
    steps({ uses: "host/wait", with: { seconds: 3 } }),
    "KEY_UNKNOWN /steps/0/with/seconds `seconds` is not known here; what may stand here: duration, until, for",
  ],
  [
    "a condition without its marks",
    steps({ ...run, id: "a" }, { ...run, if: "steps.a.outputs.exitCode == 0 && !contains(device.deviceId, 'x')" }),
    "VALUE_WRONG /steps/1/if `if` must be true or false or one whole ${{ }} → ${{ steps.a.outputs.exitCode == 0 && !contains(device.deviceId, 'x') }}",
  ],
  [
    "a word as a condition",
    steps({ ...run, if: "always" }),
    "VALUE_WRONG /steps/0/if `if` must be true or false or one whole ${{ }}",
  ],
  [
    "truth as a text",
    steps({ ...run, if: "true" }),
    "VALUE_WRONG /steps/0/if `if` must be true or false or one whole ${{ }} → true",
  ],
  [
    "one trigger instead of a list",
    { on: { trigger: "host/startup" }, ...steps(run) },
    "VALUE_WRONG /on `on` must be a list: put [ ] around what stands here",
  ],
  [
    "a number that is compared as a text",
    steps({ ...run, id: "a" }, { ...run, if: "${{ steps.a.outputs.exitCode == '0' }}" }),
    "VALUE_WRONG /steps/1/if `steps.a.outputs.exitCode` is a whole number and never equals a text → 0",
  ],
  [
    "a member of the items of a loop that shows none",
    steps({ id: "a", forEach: [1], steps: [{ ...run, id: "b" }] }, reads("steps.a.outputs.items[0].output")),
    "REFERENCE_UNKNOWN /steps/1/with/command/0 `steps.a.outputs.items[0]` has no member output; the loop shows of its items what its `outputs` say",
  ],
  [
    "a number as a duration",
    steps({ uses: "host/wait", with: { duration: 30 } }),
    "VALUE_WRONG /steps/0/with/duration `duration` must be a duration with a unit, such as 300ms, 5s or 1h30m",
  ],
  [
    "an hour as the beginning of a window",
    { ...steps(run), window: { from: "22h", to: "23:00" } },
    "VALUE_WRONG /window/from `from` must be HH:MM, 00:00 to 23:59; or an expression that gives one",
  ],
  [
    "a setting beside its trigger",
    { on: [{ trigger: "host/schedule", cron: "* * * * *" }], ...steps(run) },
    "KEY_UNKNOWN /on/0/cron `cron` is a setting of host/schedule and belongs into `with`",
  ],
  [
    "a misspelt word that would make a secret",
    { inputs: { type: "object", properties: { key: { type: "string", writeonly: true } } }, ...steps(run) },
    "SCHEMA_INVALID /inputs/properties/key/writeonly this is no word of JSON Schema → writeOnly",
  ],
  [
    "a misspelt word that would ask for a member",
    { inputs: { type: "object", requird: ["key"] }, ...steps(run) },
    "SCHEMA_INVALID /inputs/requird this is no word of JSON Schema → required",
  ],
  ["a call of no name", steps({ uses: "workflow:" }), 'WORKFLOW_NOT_FOUND /steps/0/uses no workflow is called ""'],
  [
    "an apostrophe in a text",
    { vars: { a: "${{ 'it's' }}" }, ...steps(run) },
    "EXPRESSION_SYNTAX /vars/a s' is not expected here; a ' within a text is written twice ('')",
  ],
  [
    "a function behind its value",
    { vars: { a: "${{ run.id.trim() }}" }, ...steps(run) },
    "EXPRESSION_SYNTAX /vars/a ( is not expected here; values have no functions of their own, and contains, *",
  ],
];

for (const [what, document, told] of mistakes)
  test(`${what} is told so`, () => {
    const faults = checkText(JSON.stringify({ name: "it", ...document }), "workflow", { catalogue });
    const said = faults.map(
      ({ code, pointer, message, suggestion }) =>
        `${code} ${pointer} ${message}${suggestion === undefined ? "" : ` → ${suggestion}`}`,
    );
    const expected = told.split("\n");
    assert.deepEqual(
      said.map((line, index) => {
        const wanted = expected[index] ?? "";
        return wanted.endsWith("*") && line.startsWith(wanted.slice(0, -1)) ? wanted : line;
      }),
      expected,
    );
  });

test("words of no meaning to JSON Schema may stand in a schema where they are near to none that asks for something", () => {
  const inputs = { type: "object", "x-order": 1, example: {}, nullable: true, label: "x", unit: "s", optional: true };
  assert.deepEqual(checkText(JSON.stringify({ name: "it", inputs, steps: [] })), []);
});
