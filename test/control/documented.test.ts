import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { methods } from "../../host/control/methods.ts";

test("docs/running.md names every method of the control socket with its params, and no other", () => {
  const text = readFileSync(new URL("../../docs/running.md", import.meta.url), "utf8");
  const section = text.slice(text.indexOf("### The control socket"), text.indexOf("## Configuration"));
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  const told = rows.map((row) =>
    row.split("|").map((cell) => [...cell.matchAll(/`([A-Za-z.]+)`/g)].map((one) => one[1]!)),
  );
  assert.deepEqual(
    Object.fromEntries(told.map(([, name, params]) => [name![0], params!.sort()])),
    Object.fromEntries(
      Object.entries(methods).map(([name, { params }]) => [name, Object.keys(params.properties as object).sort()]),
    ),
  );
});
