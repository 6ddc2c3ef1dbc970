// What must hold of a run however often its host was killed, said against the same run undisturbed.

import assert from "node:assert/strict";
import type { JournalRow, Outcome } from "./play.ts";

const ends = ["succeeded", "failed", "skipped"];

export function compare(killed: Outcome, undisturbed: Outcome, kills: number[]): void {
  const told = `killed at ${killed.deaths} (wanted ${kills})`;
  assert.equal(killed.status, undisturbed.status, told);
  assert.equal(killed.code, undisturbed.code, told);
  assert.deepEqual(killed.output, undisturbed.output, told);
  assert.deepEqual(killed.newer, undisturbed.newer, told);
  assert.equal(killed.journal.filter(({ kind }) => kind === "ended").length, 1, told);
  // Lists that run at the same time end in any order; each place ends once, and as it does undisturbed.
  assert.deepEqual(endings(killed.journal), endings(undisturbed.journal), told);
  assertNothingAfterItsEnd(killed.journal);
  // A step acts once more for each attempt that a kill left without a result, and not otherwise.
  const repeats = repeatedActs(killed.journal);
  for (const [name, times] of undisturbed.effects) {
    const acted = killed.effects.get(name) ?? 0;
    const allowed = times + (repeats.get(name) ?? 0);
    assert.ok(acted >= times && acted <= allowed, `${name} acted ${acted} times instead of ${times}, ${told}`);
  }
  for (const name of killed.effects.keys())
    assert.ok(undisturbed.effects.has(name), `${name} acted, which never happens undisturbed, ${told}`);
}

function endings(journal: JournalRow[]): string[] {
  const found = journal.filter(({ kind }) => ends.includes(kind)).map(({ kind, path }) => `${kind} ${path}`);
  assert.equal(new Set(found.map((end) => end.slice(end.indexOf(" ")))).size, found.length, "a place ended twice");
  return found.sort();
}

function assertNothingAfterItsEnd(journal: JournalRow[]): void {
  const ended = new Set<string>();
  for (const { kind, path } of journal) {
    if (kind === "running" || kind === "resumed") assert.ok(!ended.has(path), `${path} began again after its end`);
    if (ends.includes(kind)) ended.add(path);
  }
}

/** How often an attempt of each step had to be repeated, by the name it acts under. */
function repeatedActs(journal: JournalRow[]): Map<string, number> {
  const names = new Map<string, string>();
  const repeats = new Map<string, number>();
  for (const { kind, path, data } of journal) {
    const name = kind === "running" ? /echo '\S+ ([^']*)'/.exec(data)?.[1] : undefined;
    if (name !== undefined) names.set(path, name);
    const acts = names.get(path);
    if (acts === undefined || (kind !== "resumed" && kind !== "retry")) continue;
    repeats.set(acts, (repeats.get(acts) ?? 0) + 1);
  }
  return repeats;
}
