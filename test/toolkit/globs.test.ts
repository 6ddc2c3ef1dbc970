import assert from "node:assert/strict";
import { test } from "node:test";
import { matcher } from "gantry/toolkit/globs";

const invalid = (message: string) => new RangeError(message);

test("** stands for any number of folders, and a name that begins with a dot is a name like others", () => {
  const found = (glob: string) =>
    ["a.log", "x/a.log", "x/y/a.log", "x/.git/a.log", "x/b"].filter(matcher([glob], invalid));
  assert.deepEqual(found("**/*.log"), ["a.log", "x/a.log", "x/y/a.log", "x/.git/a.log"]);
  assert.deepEqual(found("x/*/a.log"), ["x/y/a.log", "x/.git/a.log"]);
  assert.deepEqual(found("x/**"), ["x/a.log", "x/y/a.log", "x/.git/a.log", "x/b"]);
  assert.deepEqual(found("./x//{b,c}"), ["x/b"]);
  assert.deepEqual(["a"].filter(matcher([], invalid)), []);
});

test("a glob that leads out of its folder is refused in the words and with the error of who asks", () => {
  for (const glob of ["/etc/*", "../*", "a/../b", "", ".", "{a/b,c}"])
    assert.throws(() => matcher([glob], invalid), { name: "RangeError", message: /is not relative to the folder/ });
});
