import { test } from "node:test";
import { needs } from "../../support/parts.ts";
import { requestMany, uploadMany } from "./many.ts";

const skip = needs("mosquitto");

test("200 small files in one trigger: all arrive, four at a time, told in order", {
  skip: needs("mosquitto"),
}, async (t) => {
  const { seconds, idleMb, peakMb } = await uploadMany(200);
  t.diagnostic(`${seconds.toFixed(1)} s, ${(peakMb - idleMb).toFixed(0)} MB above ${idleMb.toFixed(0)} MB idle`);
});

test("a hub that starts nothing yet is asked for every file, once and in order", { skip }, () => requestMany(450));
