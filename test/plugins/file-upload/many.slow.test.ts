import assert from "node:assert/strict";
import { test } from "node:test";
import { needs } from "../../support/parts.ts";
import { uploadMany } from "./many.ts";

const skip = needs("mosquitto");
const count = 10_000;

test(`${count} small files in one trigger: all arrive, memory stays bounded`, { skip, timeout: 900_000 }, async (t) => {
  const { seconds, idleMb, peakMb } = await uploadMany(count);
  const above = peakMb - idleMb;
  const rate = (count / seconds).toFixed(0);
  t.diagnostic(`${seconds.toFixed(0)} s (${rate} files/s), ${above.toFixed(0)} MB above ${idleMb.toFixed(0)} MB idle`);
  assert.ok(above <= 50, `${above.toFixed(0)} MB above idle`);
});
