// The crash matrix: every scenario killed at every record of its journal, once and several times in a row.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { compare } from "./matrix.ts";
import { type Outcome, play } from "./play.ts";
import { scenarios } from "./scenarios.ts";

/** Behind the first kill, how many records later the host is killed again. */
const further = [[], [1], [1, 1, 1]];
let kills = 0;
/** Kills that came before the end of the run. */
let effective = 0;
/** Kills that missed the moment that was meant: the run had gone on by then. */
let late = 0;

after(() => {
  console.log(`${kills} kills, ${effective} of them before the run had ended, ${late} later than meant`);
  assert.ok(effective >= 2000, `only ${effective} kills`);
  assert.ok(late < effective / 5, `${late} of ${effective} kills came too late`);
});

for (const scenario of scenarios)
  describe(scenario.name, { concurrency: 3 }, async () => {
    const undisturbed = await play(scenario, []);
    assert.equal(undisturbed.status, scenario.status);
    // Of a long journal every second record: what comes in pairs differs from run to run where lists go side by side.
    const stride = undisturbed.journal.length > 60 ? 2 : 1;
    for (let at = 1; at <= undisturbed.journal.length; at += stride)
      for (const steps of further) {
        const wanted = [at];
        for (const step of steps) wanted.push(wanted.at(-1)! + step);
        test(`killed at ${wanted.join(", ")}`, { timeout: 120_000 }, async () => {
          const outcome = await play(scenario, wanted);
          note(outcome);
          compare(outcome, undisturbed, wanted);
        });
      }
  });

function note({ deaths, journal, late: missed }: Outcome): void {
  kills += deaths.length;
  late += missed;
  effective += deaths.filter((length) => length < journal.length).length;
}
