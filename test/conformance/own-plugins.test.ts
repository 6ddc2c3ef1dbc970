// Each of Gantry's own plugins keeps the contract that it asks of others, in both carriers where it can run in both. What
// is not exercised is named here, so that nothing slips away unseen.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { builtInDirectory, builtInNames } from "../../host/loading/locate-plugin.ts";
import type { PluginManifest } from "../../schemas/plugin.types.ts";
import { testFolder } from "./violating-plugins.ts";

/** Steps or examples that cannot be tried, and why. */
const untried: Record<string, string> = {
  "things/request: a question to the hub": "it needs a hub that answers",
};
const syncs = "it syncs what it writes, which Node's permissions do not allow";
/** Plugins that cannot run in a process of their own. */
const inProcessOnly: Record<string, string> = {
  archive: syncs,
  download: syncs,
  files: syncs,
  "software-update": syncs,
};

describe("Gantry's own plugins", { concurrency: 2 }, () => {
  for (const name of builtInNames())
    test(`the plugin ${name} keeps the contract`, async () => {
      const { code, stderr, failed, notExercised, lines } = await testFolder(`${builtInDirectory}${name}`);
      assert.deepEqual(failed, []);
      assert.equal(code, 0, stderr);
      const manifest = JSON.parse(readFileSync(`${builtInDirectory}${name}/plugin.json`, "utf8")) as PluginManifest;
      const carriers = name in inProcessOnly ? ["in-process"] : ["process", "in-process"];
      const passedIn = (carrier: string, check: string) =>
        lines.filter((line) => line.carrier === carrier && line.check === check && line.outcome === "passed");
      for (const carrier of carriers)
        for (const step of Object.keys(manifest.steps ?? {}))
          for (const check of ["example", "repeat", "abort"])
            assert.ok(
              passedIn(carrier, check).some(({ about }) => about.startsWith(`${name}/${step}:`)),
              `${check} of ${name}/${step}, ${carrier}`,
            );
      const known = new Set([
        ...Object.values(untried),
        "the example is one of a failure",
        "only that it is there",
        inProcessOnly[name] ?? "",
      ]);
      assert.deepEqual(
        notExercised.filter(({ message }) => !known.has(message!)),
        [],
      );
    });
});
