import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { copyOf, damages, filesIn, fill, filledFolder, flip, generator, survives } from "./damaged-folder.ts";
import { storeFolder, testStore } from "./store-folder.ts";

for (const [kind, damage] of Object.entries(damages))
  test(`a start gets over any file of a closed data folder that is ${kind}`, async (t) => {
    const original = await filledFolder(t);
    for (const file of filesIn(original)) {
      const directory = copyOf(t, original);
      damage(join(directory, file));
      await survives(directory, file);
    }
  });

test("a start gets over any damaged file of a folder whose host was killed", async (t) => {
  const running = storeFolder(t);
  const store = await testStore(t, {}, running);
  await fill(store);
  const original = copyOf(t, running);
  const files = filesIn(original);
  assert.ok(files.includes("gantry.db-wal"));
  for (const file of files)
    for (const [kind, damage] of Object.entries(damages)) {
      const directory = copyOf(t, original);
      damage(join(directory, file));
      await survives(directory, `${file} ${kind}`);
    }
});

test("a start gets over one changed bit, wherever it is", async (t) => {
  const original = await filledFolder(t);
  const random = generator(20_261_126);
  for (const file of filesIn(original)) {
    const { size } = statSync(join(original, file));
    if (size === 0) continue;
    // The beginning of a database says most about the rest, so half of the places are there.
    for (let round = 0; round < 40; round++) {
      const directory = copyOf(t, original);
      const place = random() % (round % 2 === 0 ? Math.min(size, 100) : size);
      flip(join(directory, file), place, random() % 8);
      await survives(directory, `byte ${place} of ${file}`);
    }
  }
});
