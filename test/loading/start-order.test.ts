import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { startOrder } from "../../host/loading/start-order.ts";

const list = (requirements: Record<string, string[]>) =>
  Object.entries(requirements).map(([name, requires]) => ({ name, requires }));

test("plugins that require nothing start in the order in which they are listed", () => {
  assert.deepEqual(startOrder(list({ c: [], a: [], b: [] })), { order: ["c", "a", "b"], circles: [] });
});

test("a required plugin comes before the one that requires it, and moves nothing else", () => {
  const { order, circles } = startOrder(list({ a: [], b: ["d"], c: [], d: ["e"], e: [] }));
  assert.deepEqual(order, ["a", "e", "d", "b", "c"]);
  assert.deepEqual(circles, []);
});

test("a circle is found once, whoever leads into it", () => {
  const { order, circles } = startOrder(list({ first: ["b"], a: ["c"], b: ["a"], c: ["b"], last: ["c"] }));
  assert.deepEqual(circles, [["b", "a", "c"]]);
  assert.deepEqual([...order].sort(), ["a", "b", "c", "first", "last"]);
});

test("two circles through one plugin are two, and one that requires itself is a circle", () => {
  assert.deepEqual(startOrder(list({ a: ["b"], b: ["a", "c"], c: ["b"] })).circles, [
    ["a", "b"],
    ["b", "c"],
  ]);
  assert.deepEqual(startOrder(list({ a: ["a"] })).circles, [["a"]]);
});

test("whatever the requirements, every plugin appears once and after all it requires unless there is a circle", () => {
  const graph = fc
    .integer({ min: 1, max: 12 })
    .chain((size) =>
      fc.array(fc.uniqueArray(fc.integer({ min: 0, max: size - 1 })), { minLength: size, maxLength: size }),
    );
  fc.assert(
    fc.property(graph, (edges) => {
      const plugins = edges.map((requires, index) => ({ name: `${index}`, requires: requires.map(String) }));
      const { order, circles } = startOrder(plugins);
      assert.equal(new Set(order).size, plugins.length);
      if (circles.length > 0) return;
      for (const { name, requires } of plugins)
        for (const required of requires) assert.ok(order.indexOf(required) < order.indexOf(name));
    }),
  );
});
