// Whatever stands in a document, checking it ends, and each fault lies inside.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../../host/sdk.ts";
import { checkText } from "./check-file.ts";

const keys = fc.constantFrom(
  ...["name", "on", "inputs", "vars", "steps", "onFailure", "finally", "outputs", "abortOn", "enabled", "requires"],
  ...["concurrency", "window", "limits", "trigger", "with", "id", "if", "uses", "forEach", "as", "maxParallel"],
  ...["parallel", "undo", "onProgress", "retry", "retries", "timeout", "continueOnError", "group", "host", "plugins"],
  ...["from", "to", "bytesPerSecond", "stesp", "$schema", "type", "properties", "items", "$ref", "$async", "topic"],
  ...["__proto__", "constructor", "toString", "a/b~c"],
);
const texts = fc.constantFrom(
  ...["a", "", "mqtt/publish", "host/wait", "host/signal", "workflow:sub-greet", "workflow:a", "mqtt/message", "5s"],
  ...[
    "${{ inputs.a }}",
    "${{ steps.a.outputs.b }}",
    "${{ a",
    "x ${{ 1 == 1 }}",
    "${{ error.code }}",
    "${{ item = 1 }}",
  ],
  ...["${{ progress.percent }}", "${{ default(steps.a.status, 'b') }}", "__proto__", "22:00", "^1.0.0", "#", "object"],
);
const { value } = fc.letrec<{ value: Json; object: Json; list: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", maxDepth: 6, withCrossShrink: true },
    fc.oneof(texts, fc.constantFrom(null, true, false, 0, 1, -1.5)),
    tie("object"),
    tie("list"),
  ),
  object: fc
    .array(fc.tuple(keys, tie("value")), { maxLength: 8 })
    .map((members) => Object.fromEntries(members) as Json),
  list: fc.array(tie("value"), { maxLength: 4 }),
}));

/** Begins as a workflow does, so that what is inside is looked at. */
const workflow = fc
  .tuple(fc.array(value, { maxLength: 3 }), fc.array(fc.tuple(keys, value), { maxLength: 6 }))
  .map(([steps, members]) => ({ name: "a", steps, ...Object.fromEntries(members) }));

for (const kind of ["workflow", "manifest", "configuration"] as const)
  test(`whatever a ${kind} holds, checking it ends with faults inside it`, () => {
    fc.assert(
      fc.property(fc.oneof(value, workflow), fc.constantFrom(undefined, 2), (any, indent) => {
        const text = JSON.stringify(any, undefined, indent);
        const lines = text.split("\n");
        for (const { line, column, length, pointer, message } of checkText(text, kind)) {
          assert.ok(line >= 1 && line <= lines.length);
          assert.ok(column >= 1 && column + length - 1 <= lines[line - 1]!.length);
          assert.match(pointer, /^(\/|$)/);
          assert.ok(message.length > 5 && !message.includes("undefined") && !message.includes("\n"), message);
        }
        assert.equal(({} as Record<string, unknown>).a, undefined);
      }),
      { numRuns: kind === "workflow" ? 1000 : 200 },
    );
  });
