import { test } from "node:test";
import { needs } from "../support/parts.ts";
import { shareWhileKilled } from "./shared-trigger.ts";

const options = { skip: needs("mosquitto"), timeout: 110_000 };

test("two hosts share a topic; one is killed twice, and every message becomes a run", options, () =>
  shareWhileKilled(200, 2),
);
