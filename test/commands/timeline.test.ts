import assert from "node:assert/strict";
import { test } from "node:test";
import { namesOf } from "../../host/commands/place-names.ts";
import type { PlaceStory } from "../../host/commands/story.ts";
import { bar } from "../../host/commands/timeline.ts";

const place = (...spans: PlaceStory["spans"]): PlaceStory => ({
  path: "steps/0",
  status: "succeeded",
  attempts: 1,
  beganAt: 0,
  endedAt: 100,
  spans,
  error: undefined,
  resumed: false,
});
const axis = { from: 1000, to: 2000, width: 10 };

test("a bar stands where in time something went on, and what goes on reaches the end", () => {
  assert.equal(bar(place({ from: 1000, to: 1500, kind: "work" }), axis), "█████");
  assert.equal(
    bar(place({ from: 1200, to: 1400, kind: "work" }, { from: 1400, to: 1700, kind: "wait" }), axis),
    "  ██···",
  );
  assert.equal(bar(place({ from: 1800, to: undefined, kind: "work" }), axis), "        ██");
  assert.equal(bar(place({ from: 2000, to: 2000, kind: "work" }), axis), "         █", "shorter than a character");
  assert.equal(bar(place(), axis), "");
});

test("places have the names of the document, through loops, lists, called workflows and undoing", () => {
  const inner = { name: "inner", steps: [{ id: "deep", uses: "p/s", undo: { uses: "p/u" } }] };
  const document = {
    name: "w",
    steps: [
      { id: "all", forEach: [1], steps: [{ uses: "p/s" }], finally: [{ uses: "p/f" }] },
      { parallel: [[{ uses: "p/a" }], [{ uses: "workflow:inner" }]] },
      { steps: [{ name: "by name", uses: "p/b" }] },
    ],
  };
  const nameOf = namesOf(document as never, new Map([["inner", inner as never]]));
  const told = (path: string) => {
    const { label, depth } = nameOf(path);
    return `${depth} ${label}`;
  };
  assert.equal(told("steps/0"), "0 all (forEach)");
  assert.equal(told("steps/0/items/4"), "1 item 5");
  assert.equal(told("steps/0/items/4/steps/0"), "2 p/s");
  assert.equal(told("steps/0/items/4/finally/0"), "2 finally: p/f");
  assert.equal(told("steps/1/parallel/0/0"), "1 list 1: p/a");
  assert.equal(told("steps/1/parallel/1/0/call/steps/0"), "2 deep (p/s)");
  assert.equal(told("steps/1/parallel/1/0/call/steps/0/undo"), "2 undo of deep (p/s): p/u");
  assert.equal(told("steps/2/steps/0"), "1 by name (p/b)");
  assert.equal(told("steps/9"), "0 steps/9");
});
