import { test } from "node:test";
import { needs } from "../support/parts.ts";
import { shareWhileKilled } from "./shared-trigger.ts";

const options = { skip: needs("mosquitto"), timeout: 600_000 };

test("two hosts share a topic; one is killed ten times, and each of 2,000 messages becomes a run", options, () =>
  shareWhileKilled(2000, 10),
);
