// A folder with an archive and a place to unpack it into, and a look at everything that is there afterwards.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../../host/sdk.ts";
import type { ExtractOutput } from "../../../plugins/archive/plugin.types.ts";
import { failureOf, runStep, stepContext } from "../../support/step-context.ts";
import { treeOf } from "../../support/tree-of.ts";

export function unpacking() {
  const context = stepContext({ progress: () => here.onProgress() });
  /** All of it is watched: nothing may appear here but the target. */
  const place = join(context.directory, "place");
  const target = join(place, "target");
  const path = join(context.directory, "archive");
  mkdirSync(place);
  writeFileSync(join(place, "neighbour"), "untouched");
  const unpack = (archive: Buffer, more: JsonObject = {}, config: JsonObject = {}) => {
    writeFileSync(path, archive);
    return runStep<ExtractOutput>("archive", "extract", { path, directory: target, ...more }, context, config);
  };
  const here = {
    context,
    /** Called while it is unpacked. */
    onProgress: () => {},
    place,
    target,
    path,
    unpack,
    /** The code it is refused with; nothing may be left of it. */
    async refused(archive: Buffer, more: JsonObject = {}, config: JsonObject = {}): Promise<string> {
      const before = treeOf(place);
      const { code } = await failureOf("archive", unpack(archive, more, config));
      assert.deepEqual(treeOf(place), before, code);
      return code;
    },
    files: () => treeOf(target),
    [Symbol.dispose]: () => context[Symbol.dispose](),
  };
  return here;
}
