// Repeating is safe: killed in the middle of a step or after its work, a run comes to the same end in the next host.

import { type Example, triedId } from "./examples.ts";
import { type Finding, judge } from "./finding.ts";
import { changes, type Outcome, outcomeOf } from "./outcome.ts";
import type { Trial } from "./trial.ts";

/** An example that has been to its end once, and how that was. */
export interface Undisturbed {
  example: Example;
  outcome: Outcome;
  /** Whether the step has reported progress, so that there is a middle to kill it in. */
  reports: boolean;
}

/** So many runs at most are repeated by one host: each may need memory. */
const together = 8;

/**
 * A start of the host is what costs most, so many runs are killed at once. They go on beside each other then; one that does
 * not come to the same end is tried alone, and what is found there counts.
 */
export async function checkRepeat(trial: Trial, all: readonly Undisturbed[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (let at = 0; at < all.length; at += together) {
    const some = all.slice(at, at + together);
    const suspects = await killTogether(trial, some);
    for (const one of some) {
      const problems = suspects.has(one) ? await killAlone(trial, one) : [];
      const about = { check: "repeat", about: one.example.about, carrier: trial.carrier };
      findings.push(...judge(about, "CONFORMANCE_REPEAT", problems));
    }
  }
  return findings;
}

interface Killed {
  one: Undisturbed;
  id: string;
  folder: string;
}

/** Gives those that came to another end. */
async function killTogether(trial: Trial, some: readonly Undisturbed[]): Promise<Set<Undisturbed>> {
  const { host } = trial;
  const killed: Killed[] = [];
  await host.withhold(triedId);
  for (const one of some) {
    const folder = trial.folderOf(one.example);
    const id = await trial.start(one.example, folder);
    await host.withheld(id);
    killed.push({ one, id, folder });
  }
  const [first, ...others] = some.filter(({ reports }) => reports);
  if (first !== undefined) killed.push(await killMidway(trial, first));
  else {
    await trial.notePeak();
    await host.kill();
  }
  await host.resume();
  const suspects = await differing(trial, killed);
  for (const one of others) {
    const midway = await killMidway(trial, one);
    await host.resume();
    for (const other of await differing(trial, [midway])) suspects.add(other);
  }
  return suspects;
}

/** In a folder of its own: another run of the same example may stand still in the first one. */
async function killMidway(trial: Trial, one: Undisturbed): Promise<Killed> {
  const { host } = trial;
  const folder = `${trial.folderOf(one.example)}-midway`;
  await trial.notePeak();
  await host.dieAt("progress", triedId);
  const id = await trial.start(one.example, folder);
  // Should it not report this time, it is killed after its work.
  await dead(trial, host.withheld(id));
  return { one, id, folder };
}

/** Until the host has died by itself, or is killed because what was to end it has passed by. */
async function dead({ host }: Trial, passed: Promise<unknown>): Promise<void> {
  const died = host.gone().then(() => true);
  const hasPassed = passed.then(() => false).catch(() => false);
  if (!(await Promise.race([died, hasPassed]))) await host.kill();
}

async function differing(trial: Trial, killed: readonly Killed[]): Promise<Set<Undisturbed>> {
  const suspects = new Set<Undisturbed>();
  for (const { one, id, folder } of killed)
    if ((await differences(trial, one, id, folder)).length > 0) suspects.add(one);
  return suspects;
}

async function differences(trial: Trial, { example, outcome }: Undisturbed, id: string, folder: string) {
  const run = await trial.host.ended(id);
  return changes(outcome, outcomeOf(run, example, folder));
}

/** One at a time, in the folder of the undisturbed run; in words, what differs. */
async function killAlone(trial: Trial, one: Undisturbed): Promise<string[]> {
  const { host } = trial;
  const folder = trial.folderOf(one.example);
  const problems: string[] = [];
  for (const moment of one.reports ? (["progress", "succeeded"] as const) : (["succeeded"] as const)) {
    await trial.notePeak();
    await host.dieAt(moment, triedId);
    const id = await trial.start(one.example, folder);
    await dead(trial, host.ended(id));
    await host.resume();
    const when = moment === "progress" ? "killed in the middle of its work" : "killed after its work";
    const found = await differences(trial, one, id, folder);
    problems.push(...found.map((change) => `${when} and repeated: ${change}`));
  }
  return problems;
}
