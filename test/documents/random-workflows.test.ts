// Sound workflows made at random: they have no fault, and keep their meaning when they are laid out anew. And whatever is
// then done to their text, the checker tells where it is.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { parseDocument } from "../../host/documents/document.ts";
import { formatDocument } from "../../host/editing/format.ts";
import type { Json, JsonObject } from "../../host/sdk.ts";
import { catalogueAround } from "./catalogue.ts";
import { checkText, type Kind } from "./check-file.ts";
import { type Draw, drawFrom, pick } from "./draw.ts";
import { Coverage } from "./language-coverage.ts";
import { drawWorkflow } from "./random-workflow.ts";

const catalogue = catalogueAround(parseDocument("none.json", '{ "name": "none", "steps": [] }').document!);
const checked = (text: string, kind: Kind = "workflow") => checkText(text, kind, { catalogue });
const told = (text: string) =>
  checked(text).map(({ code, pointer, message, severity }) => [severity, code, pointer, message]);

test("sound workflows have no fault, and laid out anew they are the same: in value, order and what is told of them", (t) => {
  const coverage = new Coverage();
  const hold = (seed: number, indent?: number | string) => {
    const workflow = drawWorkflow(drawFrom(seed));
    coverage.add(workflow);
    const text = JSON.stringify(workflow, undefined, indent);
    const notes = told(text);
    assert.deepEqual(
      notes.filter(([severity]) => severity === "fault"),
      [],
    );
    const formatted = formatDocument(parseDocument("document.json", text).document!);
    assert.equal(JSON.stringify(JSON.parse(formatted)), JSON.stringify(workflow));
    assert.equal(formatDocument(parseDocument("document.json", formatted).document!), formatted);
    assert.deepEqual(told(formatted).sort(), notes.sort());
  };
  fc.assert(fc.property(fc.integer(), fc.constantFrom(undefined, 1, "\t"), hold), { numRuns: 60 });
  // What is rare may not have come up yet.
  let count = 60;
  for (; coverage.missed().length > 0 && count < 2000; count++) hold(count);
  t.diagnostic(`${count} workflows cover the language: ${coverage.told()}`);
  assert.deepEqual(coverage.missed(), []);
});

const root = fileURLToPath(new URL("../../", import.meta.url));
const sound: [string, Kind][] = [
  ["plugins/things/plugin.json", "manifest"],
  ["plugins.json", "configuration"],
];
const others = sound.map(([file, kind]) => [readFileSync(`${root}${file}`, "utf8"), kind] as const);

test("whatever is done to the text of a sound document, each fault lies inside it", (t) => {
  let broken = 0;
  let sound = 0;
  fc.assert(
    fc.property(fc.integer(), fc.nat(9), (seed, choice) => {
      const draw = drawFrom(seed);
      const [text, kind] = others[choice] ?? [JSON.stringify(drawWorkflow(draw), undefined, draw(4)), "workflow"];
      const edited = Array.from({ length: 1 + draw(3) }).reduce<string>((given) => edit(draw, given), text);
      const faults = checked(edited, kind);
      if (faults.length === 0) sound++;
      else broken++;
      assertInside(faults, edited);
    }),
    { numRuns: 300 },
  );
  t.diagnostic(`${broken} of the edited documents had something to tell, ${sound} had nothing`);
  assert.ok(broken > 150 && sound > 0);
});

test("whatever is done to a value of a sound workflow, each fault lies inside it", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const draw = drawFrom(seed);
      const workflow = drawWorkflow(draw);
      for (let count = 1 + draw(3); count > 0; count--) editValue(draw, workflow);
      const text = JSON.stringify(workflow, undefined, 2);
      assertInside(checked(text), text);
    }),
    { numRuns: 150 },
  );
});

function assertInside(faults: ReturnType<typeof checkText>, text: string): void {
  const lines = text.split("\n");
  for (const { line, column, length, pointer, message } of faults) {
    assert.ok(line >= 1 && line <= lines.length, `line ${line} of ${lines.length}`);
    // What is missing at the end stands one column behind it.
    assert.ok(
      column >= 1 && column + length - 1 <= Math.max(1, lines[line - 1]!.length + 1),
      `column ${column} in ${lines[line - 1]}`,
    );
    assert.match(pointer, /^(\/|$)/);
    assert.ok(message.length > 5 && !message.includes("undefined") && !message.includes("\n"), message);
  }
}

const pieces = [
  ...['"', "{", "}", "[", "]", ",", ":", "\\", "\n", "'", "//", "/*", "null", "01", "\u0000", "\ud800", "ü"],
  ...["${{", "}}", "steps.", "inputs", "error.code", "==", "&&", "(", ")", "item", '"uses"', '"steps"', '"id": "s1",'],
];

/** One change of the text, as a slip of a hand or of a merge makes it. */
function edit(draw: Draw, text: string): string {
  const from = draw(text.length + 1);
  const to = Math.min(text.length, from + draw(draw(2) === 0 ? 5 : 200));
  const other = draw(text.length + 1);
  const way = pick(draw, "cut", "insert", "double", "swap", "end");
  if (way === "cut") return text.slice(0, from) + text.slice(to);
  if (way === "insert") return text.slice(0, from) + pick(draw, ...pieces) + text.slice(from);
  if (way === "double") return text.slice(0, other) + text.slice(from, to) + text.slice(other);
  if (way === "swap") return text.slice(0, from) + text.slice(to, to + 1) + text.slice(from, to) + text.slice(to + 1);
  return text.slice(0, from);
}

const values: Json[] = [
  null,
  true,
  0,
  -1.5,
  "",
  "a",
  "5s",
  "${{ steps.s1.outputs }}",
  "${{ nothing.here }}",
  "${{",
  [],
  {},
  [[]],
  { steps: [] },
];

/** One change of a member or item somewhere. */
function editValue(draw: Draw, root: JsonObject): void {
  const holders: (JsonObject | Json[])[] = [];
  const collect = (value: Json) => {
    if (typeof value !== "object" || value === null) return;
    holders.push(value);
    for (const inner of Object.values(value)) collect(inner);
  };
  collect(root);
  const holder = pick(draw, ...holders) as JsonObject;
  const keys = Object.keys(holder);
  const key = keys.length === 0 ? "steps" : pick(draw, ...keys);
  const value = pick(draw, ...values);
  const way = pick(draw, "replace", "remove", "rename", "move");
  if (Array.isArray(holder) || way === "replace") holder[key] = structuredClone(value);
  else if (way === "remove") delete holder[key];
  else {
    const given = holder[key] ?? null;
    delete holder[key];
    const target = way === "rename" ? holder : root;
    target[way === "rename" ? `${key.slice(1)}x` : key] = structuredClone(given);
  }
}
