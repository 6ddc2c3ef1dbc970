// Documents of the largest size that are wrong all over: each fault still at its own place.

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatFault } from "../../host/documents/fault-text.ts";
import { checkText } from "./check-file.ts";

const publish = { uses: "mqtt/publish", with: { topic: "a", payload: 1 } };

test("each of many expressions in one text with escapes has its own place", () => {
  const part = "\n\u0001${{q}}";
  const count = 20_000;
  const text = JSON.stringify({ name: "a", steps: [], vars: { all: part.repeat(count) } });
  const places = checkText(text).map(({ column }) => column - 1);
  const expected = Array.from(text.matchAll(/q/g), ({ index }) => index);
  assert.equal(expected.length, count);
  assert.deepEqual(places, expected);
});

test("each of many steps has its faults, once each", () => {
  const step = { ...publish, if: 1, timeout: 1, retry: { retries: "x" } };
  const count = 9000;
  const faults = checkText(JSON.stringify({ name: "a", steps: Array(count).fill(step) }));
  const members = ["if", "timeout", "retry/retries"];
  assert.deepEqual(
    faults.map(({ code, pointer }) => `${code} ${pointer}`),
    Array.from({ length: count }, (_, index) => members.map((name) => `VALUE_WRONG /steps/${index}/${name}`)).flat(),
  );
});

test("each of many members has its own place", () => {
  const vars = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`k${index}`, "${{q}}"]));
  const text = JSON.stringify({ name: "a", steps: [], vars });
  const expected = Array.from(text.matchAll(/q/g), ({ index }) => index + 1);
  assert.deepEqual(
    checkText(text).map(({ column }) => column),
    expected,
  );
});

test("many sound steps have no fault", () => {
  assert.deepEqual(checkText(JSON.stringify({ name: "a", steps: Array(17_000).fill(publish) })), []);
});

test("each of very many steps without its form is found", () => {
  const count = 60_000;
  const faults = checkText(JSON.stringify({ name: "a", steps: Array(count).fill({ if: 1 }) }));
  assert.equal(faults.length, count);
  assert.ok(faults.every(({ pointer }, index) => pointer === `/steps/${index}/if`));
});

test("each of very many expressions in one text is a fault of its own", () => {
  const count = 60_000;
  const faults = checkText(JSON.stringify({ name: "a", steps: [], vars: { all: "${{q}}".repeat(count) } }));
  assert.equal(new Set(faults.map(({ column }) => column)).size, count);
});

test("steps see those before them, however many there are and whatever lies between", () => {
  const steps = Array.from({ length: 6000 }, (_, index) => {
    const before = index === 0 ? 1 : `\${{ steps.s${index - 1}.status }} \${{ steps.t${index - 1}.status }}`;
    const inner = { id: `t${index}`, ...publish, with: { topic: "a", payload: before }, undo: publish };
    return { id: `s${index}`, steps: [inner] };
  });
  const faults = checkText(JSON.stringify({ name: "a", steps }));
  // Each inner one reads a step inside another block, but for the first.
  assert.equal(faults.length, steps.length - 1);
  assert.ok(faults.every(({ message }, index) => message.startsWith(`step t${index} stands inside something`)));
});

test("of names that are alike by the thousand, each misspelt one is a fault", () => {
  const vars = Object.fromEntries(Array.from({ length: 6000 }, (_, index) => [`name${index}`, 1]));
  const steps = Array.from({ length: 4000 }, (_, index) => ({ if: `\${{ vars.nmae${index} }}`, steps: [] }));
  const faults = checkText(JSON.stringify({ name: "a", vars, steps }));
  assert.equal(faults.length, steps.length);
  assert.ok(faults.every(({ message }) => message.length < 500));
});

test("each place of very many on one line can be shown", () => {
  const vars = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, "${{q}}"]));
  const text = JSON.stringify({ name: "a", steps: [], vars });
  for (const fault of checkText(text)) {
    const [, line, mark] = formatFault(fault, text, { colour: false }).split("\n");
    assert.equal(line![mark!.indexOf("^")], "q");
  }
});

test("a word, a key or a quote without end is one fault, and told in few words", () => {
  const long = "x".repeat(1_000_000);
  const broken = [`{ "a": ${long} }`, `{ "a": "${long}" 1 }`, `{ "a": "${long.slice(0, -20)} }`];
  for (const text of [...broken, JSON.stringify({ name: "a", steps: [], [long]: 1 })]) {
    const [fault, ...others] = checkText(text);
    assert.deepEqual(others, []);
    assert.ok(fault!.message.length < 3000);
  }
});
