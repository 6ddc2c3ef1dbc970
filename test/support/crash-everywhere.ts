import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "../../host/sdk.ts";
import { callsOf, crashAt } from "./crash-at-call.ts";
import { treeOf } from "./tree-of.ts";

/** One step, in a folder of its own. */
export interface Case {
  /** The only one of the host. */
  plugin: string;
  /** Makes what is there before. */
  prepare(place: string): void;
  step(place: string): JsonObject;
  paths(place: string): string[];
  /** What is in the host's data folder beforehand, by relative path. */
  data?: Record<string, string>;
  /** What is there afterwards, as `treeOf` gives it; `*` for any content. */
  want: Record<string, string>;
  /** What it does, beside other calls. */
  calls: string[];
}

/**
 * Lets the host die at each system call with which the step changes something, and another one finish the run: it has to
 * come to the same end, with nothing else left.
 */
export async function crashEverywhere({ plugin, prepare, step, paths, data = {}, want, calls }: Case) {
  const work = (place: string) => ({ plugins: [{ plugin }], step: step(place), paths: paths(place), data });
  const inPlace = async <Value>(act: (place: string) => Promise<Value>) => {
    const place = mkdtempSync(join(tmpdir(), "gantry-place-"));
    try {
      prepare(place);
      const value = await act(place);
      const found = treeOf(place);
      for (const name of Object.keys(found)) if (want[name] === "*") found[name] = "*";
      assert.deepEqual(found, want);
      return value;
    } finally {
      rmSync(place, { recursive: true });
    }
  };
  const found = await inPlace((place) => callsOf(work(place)));
  for (const name of calls)
    assert.ok(
      found.some((call) => call.name.startsWith(name)),
      `no ${name}: ${JSON.stringify(found)}`,
    );
  for (const call of found) {
    const { status, error } = await inPlace((place) => crashAt(call, work(place)));
    assert.equal(status, "succeeded", `${call.name} ${call.nth}: ${JSON.stringify(error)}`);
  }
}
