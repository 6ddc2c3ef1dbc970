// The trigger against a host that cannot take a command now.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Emission, Json, Stop } from "../../../host/sdk.ts";
import { PluginError } from "../../../host/sdk.ts";
import { openStore } from "../../../host/store/open.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import type { Reply, Result } from "../../../plugins/things/answers.ts";
import { Features } from "../../../plugins/things/features.ts";
import { Handlers } from "../../../plugins/things/handlers.ts";
import { DeviceIdentities } from "../../../plugins/things/identity.ts";
import { Lanes } from "../../../plugins/things/lanes.ts";
import { command } from "../../../plugins/things/triggers/command.ts";
import { type LogLine, recordingLog } from "../../support/recording-log.ts";

const full = () => new PluginError("QUEUE_FULL", "too many runs wait", { retryable: true });
const delivery = { key: "k/1", fingerprint: "f", redelivered: false };

/** The trigger for `Lamp`'s `light`, which hands over to `emit`; what it answers is recorded. */
async function withTrigger(
  emit: (emission: Emission) => Promise<{ runId: string }>,
  work: (take: (more?: object) => Promise<void>, answers: [Result, string | undefined][], stop: Stop) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "gantry-trigger-"));
  const store = await openStore(directory);
  const lines: LogLine[] = [];
  const log = recordingLog(lines);
  const keyValue = store.keyValue("things");
  const handlers = new Handlers(keyValue, log);
  const identities = new DeviceIdentities(keyValue, log);
  const lanes = new Lanes({
    mqtt: undefined as never,
    identities,
    outbox: store.outbox("things"),
    keyValue,
    log,
    maxMessages: 10,
    mergeAbove: 5,
  });
  try {
    const answers: [Result, string | undefined][] = [];
    const answer = async (_: Reply | null, result: Result, key?: string) => void answers.push([result, key]);
    const trigger = command({ features: new Features(lanes, identities), handlers, commands: { answer } });
    const options = { feature: "Lamp", operation: "light", answer: "when-accepted", answerOutput: true } as const;
    const stop = await trigger.start(options as never, emit, { workflow: "w", index: 0, log });
    const [handler] = handlers.of({ feature: "Lamp" }, "light");
    const told = { thing: "a:b", feature: "Lamp", operation: "light", requestId: "1", correlationId: "c", headers: {} };
    const take = (more = {}) =>
      handler!.handle({ ...told, topic: "t", value: {}, reply: { mqttTopic: "x" } as unknown as Json, ...more });
    await work(take, answers, stop);
  } finally {
    handlers.close();
    await lanes.stop();
    await store.close();
    rmSync(directory, { recursive: true });
  }
}

test("a command that cannot be taken now is tried again until it can, and answered once", async () => {
  let attempts = 0;
  const emit = async () => {
    attempts += 1;
    if (attempts < 3) throw full();
    return { runId: "run-1" };
  };
  await withTrigger(emit, async (take, answers) => {
    await take({ delivery });
    assert.equal(attempts, 3);
    assert.deepEqual(answers, [[{ status: 204, value: null }, "run-1/answer"]]);
  });
});

test("without a redelivery in case of need it is answered 500 at once", async () => {
  await withTrigger(
    async () => {
      throw full();
    },
    async (take, answers) => {
      await take();
      const refusal = { status: 500, error: "messages:execution.failed", message: "too many runs wait" };
      assert.deepEqual(answers, [[refusal, undefined]]);
    },
  );
});

test("when the host stops it stays unacknowledged and unanswered", async () => {
  let attempts = 0;
  const emit = async () => {
    attempts += 1;
    throw attempts === 1 ? full() : new PluginError("HOST_STOPPING", "the host is stopping", { retryable: true });
  };
  await withTrigger(emit, async (take, answers) => {
    await assert.rejects(take({ delivery }), { code: "HOST_STOPPING" });
    await assert.rejects(take(), { code: "HOST_STOPPING" });
    assert.deepEqual(answers, []);
  });
});

test("a stop of the trigger ends the wait for a better time", async () => {
  let attempts = 0;
  const emit = async () => {
    attempts += 1;
    throw full();
  };
  await withTrigger(emit, async (take, answers, stop) => {
    const taken = take({ delivery });
    taken.catch(() => {});
    await waitFor("an attempt", () => attempts > 0);
    await stop();
    await assert.rejects(taken, { code: "HOST_STOPPING" });
    assert.deepEqual(answers, []);
  });
});
