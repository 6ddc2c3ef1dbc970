import assert from "node:assert/strict";
import { test } from "node:test";
import { bounded } from "../../host/documents/bounded.ts";

test("work that takes too much of the processor is cut off", () => {
  assert.equal(
    bounded(() => {
      for (;;);
    }, 50),
    undefined,
  );
});

test("work that had to wait for the processor is not", () => {
  const never = new Int32Array(new SharedArrayBuffer(4));
  let begun = 0;
  const slow = () => {
    begun += 1;
    // As long as the machine does something else, no time of the processor is spent.
    Atomics.wait(never, 0, 0, 150);
    return "done";
  };
  assert.deepEqual(bounded(slow, 100), { value: "done" });
  assert.ok(begun >= 2, "it was never begun again");
});

test("what fails, fails as it is, and the next work is not touched by it", () => {
  assert.throws(
    () =>
      bounded(() => {
        throw new RangeError("no");
      }, 100),
    RangeError,
  );
  assert.deepEqual(
    bounded(() => 7, 100),
    { value: 7 },
  );
});
