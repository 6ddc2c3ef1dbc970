// A sample of the crash matrix (matrix.slow.test.ts): each scenario undisturbed, and killed at a few of its records.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compare } from "./matrix.ts";
import { play } from "./play.ts";
import { scenarios } from "./scenarios.ts";

const killsOfEach = 3;

describe("killed hosts", { concurrency: 2 }, () => {
  for (const [place, scenario] of scenarios.entries())
    test(`${scenario.name}: ends as if undisturbed`, { timeout: 110_000 }, async () => {
      const undisturbed = await play(scenario, []);
      assert.equal(undisturbed.status, scenario.status, JSON.stringify(undisturbed));
      const records = undisturbed.journal.length;
      // Spread over its length, and at other records in each scenario.
      const first = 1 + ((place * 5) % Math.ceil(records / killsOfEach));
      const kills = Array.from({ length: killsOfEach }, (_, n) => first + Math.floor((n * records) / killsOfEach));
      compare(await play(scenario, kills), undisturbed, kills);
    });
});
