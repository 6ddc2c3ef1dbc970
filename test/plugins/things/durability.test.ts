// Nothing is lost and nothing goes back in time, whatever dies: the broker, the connection, the host.

import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { needs } from "../../support/parts.ts";
import { Device } from "./device.ts";
import { answered, count, light } from "./lamp.ts";
import { late, probe } from "./probe.ts";
import { watchWire } from "./wire.ts";

const options = { skip: needs("mosquitto"), timeout: 120_000 };
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

interface Seen {
  level: number;
  announced: boolean;
}

/** What the hub has seen of the level, in announcements and reports. */
function seenLevels(device: Device): Seen[] {
  return device.on("e").flatMap(({ text }): Seen[] => {
    const { path, value } = JSON.parse(text);
    if (path === "/features/Lamp") return [{ level: value.properties.status.level as number, announced: true }];
    return path === "/features/Lamp/properties/status/level" ? [{ level: value as number, announced: false }] : [];
  });
}

/** All levels were reported in order; one may come twice where an acknowledgement was lost, and none goes back. */
function assertInOrder(device: Device, last: number): void {
  const seen = seenLevels(device);
  const reports = seen.filter(({ announced }) => !announced).map(({ level }) => level);
  assert.deepEqual(
    reports.filter((level, index) => level !== reports[index - 1]),
    upTo(last),
  );
  for (const [index, { level }] of seen.entries())
    assert.ok(level >= (seen[index - 1]?.level ?? 0), `${JSON.stringify(seen)} goes back at ${index}`);
}

const arrived = (device: Device, level: number) =>
  waitFor(
    `level ${level}\n${device.host.log.slice(-3000)}`,
    () => seenLevels(device).some((seen) => seen.level >= level && !seen.announced),
    60_000,
  );

/** Files by which a run of `count` waits and says that it is done. */
function files(device: Device) {
  const gate = join(device.directory, "gate");
  const done = join(device.directory, "done");
  return {
    input: { gate, done },
    open: () => writeFileSync(gate, ""),
    isDone: () => waitFor(`the end of the run\n${device.host.log.slice(-3000)}`, () => existsSync(done)),
  };
}

const waiting = (device: Device, sql = "SELECT count(*) AS n FROM outbox WHERE owner = 'things'") => {
  const database = new DatabaseSync(join(device.data, "gantry.db"), { readOnly: true });
  try {
    return (database.prepare(sql).get() as { n: number }).n;
  } finally {
    database.close();
  }
};

test("reports keep their order and none is lost over restarts of the broker", options, async () => {
  await using device = await Device.start(false, { workflows: { count } });
  await device.command("count", { levels: upTo(120) });
  for (const level of [15, 45, 75]) {
    await arrived(device, level);
    await device.mosquitto!.restart();
  }
  await arrived(device, 120);
  assertInOrder(device, 120);
  assert.ok(seenLevels(device).filter(({ announced }) => announced).length >= 4);
  assert.equal(await device.text("command///res/r1/204"), answered("count"));
});

test("reports keep their order and none is lost over kills of the host in the middle of them", options, async () => {
  await using device = await Device.start(false, { workflows: { count } });
  await device.command("count", { levels: upTo(90) });
  for (const level of [10, 30, 50, 70]) {
    await arrived(device, level);
    await device.host.kill();
    await device.startHost();
  }
  await arrived(device, 90);
  assertInOrder(device, 90);
  await waitFor("an empty outbox", () => waiting(device) === 0);
});

test("an orderly stop in the middle of them loses nothing and sends nothing twice", options, async () => {
  await using device = await Device.start(false, { workflows: { count } });
  await device.command("count", { levels: upTo(60) });
  for (const level of [10, 30]) {
    await arrived(device, level);
    await device.host.stop();
    await device.startHost();
  }
  await arrived(device, 60);
  const reports = seenLevels(device).filter(({ announced }) => !announced);
  assert.deepEqual(
    reports.map(({ level }) => level),
    upTo(60),
  );
});

test(
  "what was reported while the broker was away leaves after it is back, behind an announcement with what left before",
  options,
  async () => {
    await using device = await Device.start(false, { workflows: { count } });
    const { input, open, isDone } = files(device);
    await device.command("count", { levels: [1] });
    await device.command("count", { levels: upTo(20).slice(1), ...input }, { requestId: "r2" });
    await arrived(device, 1);
    await device.text("command///res/r2/204");
    await device.mosquitto!.stop();
    open();
    await isDone();
    assert.equal(waiting(device), 19);
    // Neither a kill nor an orderly stop takes anything away.
    await device.host.kill();
    await device.startHost();
    await device.host.stop();
    assert.equal(waiting(device), 19);
    const before = device.on("e").length;
    await device.mosquitto!.restart();
    await device.startHost();
    await arrived(device, 20);
    assertInOrder(device, 20);
    const [first] = device.on("e").slice(before);
    assert.equal(JSON.parse(first!.text).path, "/features/Lamp");
    assert.equal(JSON.parse(first!.text).value.properties.status.level, 1);
  },
);

test("the same holds for a host that goes on while the broker is away", options, async () => {
  await using device = await Device.start(false, { workflows: { count } });
  const { input, open, isDone } = files(device);
  await device.command("count", { levels: upTo(20), ...input });
  await device.text("command///res/r1/204");
  await device.mosquitto!.stop();
  open();
  await isDone();
  const before = device.on("e").length;
  await device.mosquitto!.restart();
  await arrived(device, 20);
  assertInOrder(device, 20);
  const after = device
    .on("e")
    .slice(before)
    .map(({ text }) => JSON.parse(text).path as string);
  // One report was on its way when the connection broke; the client sends it before it says that it is connected.
  assert.ok(after.indexOf("/features/Lamp") <= 1, after.join("\n"));
});

test(
  "more than may wait: the oldest are dropped and counted, the announcement has the last of them",
  options,
  async () => {
    await using device = await Device.start(false, { workflows: { count }, config: { maxMessages: 20 } });
    const { input, open, isDone } = files(device);
    await device.command("count", { levels: upTo(60), ...input });
    await device.text("command///res/r1/204");
    await device.mosquitto!.stop();
    open();
    await isDone();
    assert.ok(waiting(device) <= 20);
    const told = device.host.lines().filter(({ code }) => code === "THINGS_LANE_FULL");
    assert.equal(told.at(-1)!.droppedSoFar, 40);
    await device.mosquitto!.restart();
    await arrived(device, 60);
    const seen = seenLevels(device);
    const levels = seen.map(({ level }) => level);
    assert.deepEqual(
      levels,
      levels.toSorted((a, b) => a - b),
    );
    assert.deepEqual(levels.slice(-20), upTo(60).slice(40));
    assert.deepEqual(
      seen.find(({ level }) => level > 1),
      { level: 40, announced: true },
    );
  },
);

test(
  "intermediate reports are merged while many messages wait; the last of them and all others arrive",
  options,
  async () => {
    await using device = await Device.start(false, { workflows: { count }, config: { mergeAbove: 5 } });
    const { input, open, isDone } = files(device);
    await device.command("count", { passing: upTo(60), levels: [61, 62, 63], ...input });
    await device.text("command///res/r1/204");
    await device.mosquitto!.stop();
    open();
    await isDone();
    await device.mosquitto!.restart();
    await arrived(device, 63);
    const levels = seenLevels(device)
      .filter(({ announced }) => !announced)
      .map(({ level }) => level);
    assert.deepEqual(levels, [1, 2, 3, 4, 5, 60, 61, 62, 63]);
  },
);

test(
  "a kill between run, answer and acknowledgement leaves one run and one answer to each command",
  options,
  async () => {
    let device: Device | undefined;
    /** Holds back the acknowledgement of the next command; told when it comes. */
    let held: (() => void) | undefined;
    const commands = new Set<number>();
    let wire: Awaited<ReturnType<typeof watchWire>> | undefined;
    const between = async (port: number) => {
      wire = await watchWire(port, (packet, toHost) => {
        if (packet.cmd === "connect") commands.clear();
        if (toHost && packet.cmd === "publish" && packet.topic.startsWith("command///req"))
          commands.add(packet.messageId!);
        if (toHost || packet.cmd !== "puback" || held === undefined || !commands.has(packet.messageId!)) return true;
        held();
        held = undefined;
        return false;
      });
      return wire.port;
    };
    try {
      device = await Device.start(false, { workflows: { light }, between });
      for (let round = 1; round <= 4; round++) {
        const atPuback = new Promise<void>((resolve) => {
          held = resolve;
        });
        await device.command("light", { colour: `c${round}` }, { requestId: `r${round}` });
        await atPuback;
        // In every other round all has left before the kill: the redelivered command then finds nothing to send.
        if (round % 2 === 0) await waitFor("an empty outbox", () => waiting(device!) === 0);
        await device.host.kill();
        await device.startHost();
        await waitFor(
          `the answer ${round}\n${device.host.log}`,
          () => device!.on(`command///res/r${round}/204`).length > 0,
        );
      }
      await waitFor("the last report", () => device!.on("e").some(({ text }) => text.includes('"value":"c4"')));
      assert.equal(waiting(device, "SELECT count(*) AS n FROM runs"), 4);
      for (let round = 1; round <= 4; round++) {
        const answers: string[] = device.on(`command///res/r${round}/204`).map(({ text }) => text);
        if (round % 2 === 0) assert.equal(answers.length, 1);
        assert.deepEqual([...new Set(answers)], [answered("light")]);
      }
    } finally {
      await device?.[Symbol.asyncDispose]();
      wire?.[Symbol.dispose]();
    }
  },
);

test(
  "commands that came while the host was down are taken when it is back, however late their workflow",
  options,
  async () => {
    const plugins = [{ plugin: probe, isolation: "in-process" }];
    const workflows = { "a-late": late, light };
    await using device = await Device.start(false, { workflows, plugins });
    await device.command("light", { colour: "first" }, { requestId: "r0" });
    await device.text("command///res/r0/204");
    await device.host.stop();
    for (let n = 1; n <= 5; n++) await device.command("light", { colour: `c${n}` }, { requestId: `r${n}` });
    await device.startHost();
    for (let n = 1; n <= 5; n++) assert.equal(await device.text(`command///res/r${n}/204`), answered("light"));
  },
);

test(
  "an answer that is due when the run has ended is given after a restart, also when its trigger is gone",
  options,
  async () => {
    const slow = {
      ...count,
      on: [{ trigger: "things/command", with: { feature: "Lamp", operation: "count", answer: "when-finished" } }],
    };
    await using device = await Device.start(false, { workflows: { slow } });
    const { input, open } = files(device);
    await device.command("count", { levels: [1, 2], ...input });
    await waitFor("the run", () => waiting(device, "SELECT count(*) AS n FROM runs") === 1);
    await device.host.kill();
    const document = { ...slow, on: undefined };
    writeFileSync(join(device.directory, "workflows", "slow.json"), JSON.stringify(document));
    await device.startHost();
    open();
    assert.equal(await device.text("command///res/r1/204"), answered("count"));
  },
);
