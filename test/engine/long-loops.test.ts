// Loops over very many items: what is kept of them while they go on, and afterwards.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench, echo } from "./bench.ts";

const items = 10_000;

test("ten thousand items give ten thousand outputs, a write for each, and no record of any once the loop has ended", async () => {
  let open = 0;
  let most = 0;
  const seen = new Set<number>();
  const work = async (input: unknown) => {
    most = Math.max(most, ++open);
    seen.add((input as { n: number }).n);
    await undefined;
    open -= 1;
    return input;
  };
  await Bench.with({ "t/work": work, "t/echo": echo }, async (bench) => {
    const before = bench.store.figures.writes;
    const ended = await bench.run(
      {
        steps: [
          {
            id: "all",
            forEach: "${{ inputs.items }}",
            as: "n",
            maxParallel: 8,
            steps: [{ id: "one", uses: "t/work", with: { n: "${{ n }}" } }],
            outputs: { n: "${{ steps.one.outputs.n }}" },
          },
          { id: "count", uses: "t/echo", with: { length: "${{ length(steps.all.outputs.items) }}" } },
        ],
        outputs: { items: "${{ steps.all.outputs.items }}", length: "${{ steps.count.outputs.length }}" },
      },
      { items: Array.from({ length: items }, (_, n) => n) },
    );
    assert.equal(ended.status, "succeeded");
    const { output } = ended as unknown as { output: { items: { n: number }[]; length: number } };
    assert.equal(output.length, items);
    assert.ok(output.items.every(({ n }, index) => n === index));
    assert.equal(seen.size, items);
    assert.ok(most <= 8, `${most} at once`);
    const left = bench.journal(ended.id);
    assert.ok(left.length < 10, `${left.length} records left`);
    // One write for each item's end, which is also the beginning of the next one.
    assert.ok(bench.store.figures.writes - before < items + 100, `${bench.store.figures.writes - before} writes`);
  });
});

test("a long loop that is interrupted goes on where it was", async () => {
  const begun: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const work = async (input: unknown, { signal }: { signal: AbortSignal }) => {
    const { n } = input as { n: number };
    begun.push(n);
    if (n !== 300 || begun.filter((other) => other === n).length > 1) return {};
    resolve();
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  await Bench.with({ "t/work": work }, async (bench) => {
    const forEach = Array.from({ length: 500 }, (_, n) => n);
    const id = await bench.accept({
      steps: [{ forEach, as: "n", steps: [{ uses: "t/work", with: { n: "${{ n }}" } }] }],
    });
    await promise;
    await bench.restart();
    assert.equal((await bench.engine.waitFor(id)).status, "succeeded");
    assert.equal(begun.length, 501);
    assert.equal(new Set(begun).size, 500);
  });
});
