// What a plugin needs around it when it is tried: other plugins, and a machine that has its real part.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gantry } from "../commands/gantry.ts";
import { inFolder, makePlugin, testFolder } from "./violating-plugins.ts";

test("a plugin that is unavailable on this machine is not exercised, and says why; one that fails has failed", async () => {
  const setUp = (what: string) =>
    makePlugin({
      steps: { light: { run: "return {};" } },
      top: 'import { PluginUnavailable } from "gantry";',
      setup: `throw ${what};`,
    });
  using absent = setUp('new PluginUnavailable("no lamp at /dev/lamp", "Plug the lamp in.")');
  const { code, failed, notExercised } = await testFolder(absent.folder);
  assert.deepEqual([code, failed], [0, []]);
  assert.deepEqual(
    notExercised.map(({ check, about, carrier, message }) => [check, about, carrier, message]),
    [
      ["start", "", "process", "it is unavailable on this machine: no lamp at /dev/lamp: Plug the lamp in."],
      ["example", "made/light: it is called", "process", "it does not start"],
    ],
  );
  using crashing = setUp('(setImmediate(() => { throw new Error("no power"); }), new Promise(() => {}))');
  const crashed = await testFolder(crashing.folder);
  assert.equal(crashed.code, 1);
  assert.equal(crashed.failed[0]?.code, "CONFORMANCE_START");
});

test("a plugin that needs others is tried with those that are given", async () => {
  using bell = makePlugin({
    name: "bell",
    steps: { ring: { run: "return {};" } },
    manifest: { provides: { bell: { methods: { ring: { output: { type: "string" } } } } } },
    more: `services: { bell: { async ring() { return "ding"; } } }`,
  });
  using visitor = makePlugin({
    steps: {
      call: {
        run: `return { heard: await context.services.bell.ring() };`,
        manifest: {
          output: { type: "object", properties: { heard: { type: "string" } } },
          examples: [
            {
              ...inFolder,
              before: [{ uses: "bell/ring", with: { directory: "${{ inputs.directory }}" } }],
              outputs: { heard: "ding" },
            },
          ],
        },
      },
    },
    manifest: { requires: ["bell"] },
  });
  const { code, failed, lines } = await testFolder(visitor.folder, "--with", bell.folder);
  assert.deepEqual([code, failed], [0, []]);
  assert.ok(lines.some(({ check, outcome }) => check === "repeat" && outcome === "passed"));

  const alone = await gantry("plugin", "test", visitor.folder);
  assert.equal(alone.code, 1);
  assert.match(alone.stdout, /^✗ manifest: .*no plugin is or provides bell \(REQUIREMENT_UNKNOWN\)\n.*--with FOLDER/m);
  assert.doesNotMatch(alone.stdout, /✗ (start|example)/);

  const nowhere = await gantry("plugin", "test", visitor.folder, "--with", "/nowhere");
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stdout, /\/nowhere/);
});
