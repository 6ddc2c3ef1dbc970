import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { identityOf } from "../../../plugins/file-upload/selection.ts";
import { remove } from "../../../plugins/file-upload/steps/remove.ts";
import { stepContext } from "../../support/step-context.ts";

const directory = mkdtempSync(join(tmpdir(), "gantry-remove-"));
after(() => rmSync(directory, { recursive: true }));

const path = join(directory, "file");
const identity = () => identityOf(statSync(path, { bigint: true }));

async function removed(of: string, what: string): Promise<[boolean, string | undefined]> {
  using context = stepContext();
  const output = await remove.run({ path: of, identity: what }, context);
  return [output.removed, context.lines[0]?.text];
}

test("what was uploaded is removed, and removed again it is gone already", async () => {
  writeFileSync(path, "a");
  const uploaded = identity();
  assert.deepEqual(await removed(path, uploaded), [true, undefined]);
  assert.ok(!existsSync(path));
  assert.deepEqual(await removed(path, uploaded), [true, undefined]);
});

test("what was written since is kept, and so is a link that took the place of the file, with what it leads to", async () => {
  const written = "a file is kept after its upload: it was written since";
  writeFileSync(path, "a");
  const uploaded = identity();
  writeFileSync(path, "ab");
  assert.deepEqual(await removed(path, uploaded), [false, written]);
  const link = join(directory, "link");
  symlinkSync(path, link);
  assert.deepEqual(await removed(link, identity()), [false, written]);
  assert.ok(existsSync(link));
  assert.ok(existsSync(path));
});

test("what cannot be removed is kept with a word in the log, and does not fail the upload", async () => {
  writeFileSync(path, "a");
  const [isRemoved, text] = await removed(join(path, "inside"), identity());
  assert.equal(isRemoved, false);
  assert.match(text!, /^a file is kept after its upload: ENOTDIR/);
});
