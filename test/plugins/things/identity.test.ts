// How the device learns who it is, and what follows from that.

import assert from "node:assert/strict";
import { test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { brokers, Device, gateway } from "./device.ts";
import { announced, answered, light, modified, reported } from "./lamp.ts";

const identityText = (deviceId: string, tenantId = "demo") => JSON.stringify({ deviceId, tenantId, policyId: "p" });
const requests = (device: Device) => device.on("edge/thing/request");
const inLog = (device: Device, text: string) => device.host.log.includes(text);

for (const { name, skip, embedded } of brokers) {
  const options = { skip, timeout: 120_000 };

  test(
    `${name}: without an identity nothing is said; with the first one the feature is announced, with the same not again`,
    options,
    async () => {
      await using device = await Device.start(embedded, { workflows: { light }, device: null });
      if (!embedded) assert.deepEqual(await device.texts("edge/thing/request", 1), [""]);
      // Held until it is known whether it is for this device.
      const early = device.command("light", { colour: "early" });
      for (const broken of [
        "",
        "null",
        "[]",
        "{",
        '{"deviceId":7}',
        '{"deviceId":"x"}',
        '{"deviceId":"a:b","tenantId":1}',
      ])
        await device.send("edge/thing/response", broken);
      await waitFor("the broken identities to be refused", () => device.said("THINGS_IDENTITY_INVALID"));
      assert.deepEqual(device.on("e"), []);
      await device.send("edge/thing/response", identityText(gateway.deviceId).replace("deviceId", "DeviceID"));
      await early;
      await waitFor("the report", () => device.on("e").length === 2);
      assert.deepEqual(await device.texts("e", 2), [announced(), reported("early")]);
      await device.send("edge/thing/response", identityText(gateway.deviceId));
      await device.send("edge/thing/response", "no identity");
      await device.command("light", { colour: "late" }, { requestId: "r2" });
      await device.text("command///res/r2/204");
      await waitFor("the second report", () => device.on("e").length >= 3);
      assert.deepEqual(await device.texts("e", 3), [announced(), reported("early"), reported("late")]);
      assert.ok(requests(device).length <= 1);
      assert.deepEqual(
        device.on("edge/thing/response").filter(({ text }) => text.includes('"policyId":""')),
        [],
      );
    },
  );

  test(
    `${name}: a new identity has the feature announced for the new thing; the old one's commands are met with silence`,
    options,
    async () => {
      await using device = await Device.start(embedded, { workflows: { light }, device: null });
      await device.send("edge/thing/response", identityText(gateway.deviceId));
      await device.command("light", { colour: "red" });
      await device.text("command///res/r1/204");
      await waitFor("the report", () => device.on("e").some(({ text }) => text === reported("red")));
      await device.send("edge/thing/response", identityText("org.example:gateway-2", "other"));
      const whole = modified(
        "/features/Lamp",
        { definition: ["org.example:Lamp:1.0.0"], properties: { status: { colour: "red", level: 0 } } },
        "org.example/gateway-2",
      );
      await waitFor("the announcement", () => device.on("e").some(({ text }) => text === whole));
      await device.command("light", { colour: "old" }, { requestId: "r2" });
      await device.command("light", { colour: "new" }, { requestId: "r3", thing: "org.example:gateway-2" });
      assert.match(await device.text("command///res/r3/204"), /^{"topic":"org.example\/gateway-2\//);
      const topic = "command//org.example:gateway-2/req/r4/light";
      await waitFor("the subscription", () => inLog(device, "subscribed to c//org.example:gateway-2/q/#"));
      await device.command("light", { colour: "new" }, { topic, thing: "org.example:gateway-2" });
      await device.text("command//org.example:gateway-2/res/r4/204");
      assert.deepEqual(device.on(/res\/r2/), []);
      // An invalid one changes nothing, and the next valid one counts.
      await device.send("edge/thing/response", identityText("invalid"));
      await device.send("edge/thing/response", identityText("org.example:gateway-3"));
      await waitFor("the third", () =>
        device.on("e").some(({ text }) => text.startsWith('{"topic":"org.example/gateway-3/')),
      );
    },
  );

  test(
    `${name}: a host without a connector answers who the device is, until a connector says something else`,
    options,
    async () => {
      const device = { deviceId: gateway.deviceId, tenantId: "demo" };
      await using running = await Device.start(embedded, { workflows: { light }, device });
      const own = '{"deviceId":"org.example:gateway-1","tenantId":"demo"}';
      if (!embedded) {
        await running.text("edge/thing/response");
        assert.deepEqual(await running.texts("edge/thing/request", 1), [""]);
      }
      const before = running.on("edge/thing/response").length;
      await running.send("edge/thing/request", "");
      await running.send("edge/thing/request", '{"topic":"","headers":null,"path":""}');
      await waitFor("two answers", () => running.on("edge/thing/response").length === before + 2);
      assert.ok(running.on("edge/thing/response").every(({ text, retain }) => text === own && !retain));
      const other = identityText("org.example:gateway-2");
      await running.send("edge/thing/response", other);
      await waitFor("the new identity", () => running.on("e").some(({ text }) => text.includes("gateway-2/things")));
      await running.send("edge/thing/request", "");
      await running.command("light", { colour: "x" }, { thing: "org.example:gateway-2" });
      await running.text("command///res/r1/204");
      assert.equal(running.on("edge/thing/response").filter(({ text }) => text === own).length, before + 2);
    },
  );
}

test("an id that a topic filter cannot hold has its commands by the empty id", {
  skip: brokers[0]!.skip,
  timeout: 60_000,
}, async () => {
  const deviceId = "org.example:a+b#";
  await using device = await Device.start(false, { workflows: { light }, device: { deviceId } });
  await device.command("light", { colour: "red" }, { thing: deviceId });
  assert.equal(await device.text("command///res/r1/204"), answered("light").replace("gateway-1", "a+b#"));
});

test("a device id in plugins.json that is none is logged, and a connector's is taken", {
  skip: brokers[0]!.skip,
  timeout: 60_000,
}, async () => {
  await using device = await Device.start(false, { workflows: { light }, device: { deviceId: "org.example:a/b" } });
  assert.ok(device.said("THINGS_IDENTITY_INVALID"));
  assert.deepEqual(device.on("edge/thing/response"), []);
  await device.send("edge/thing/response", identityText(gateway.deviceId));
  assert.equal(await device.text("e"), announced());
});

test("there is one empty request per connection, and an announcement with the last values after each reconnect", {
  skip: brokers[0]!.skip,
  timeout: 120_000,
}, async () => {
  await using device = await Device.start(false, { workflows: { light }, device: null });
  await device.send("edge/thing/response", identityText(gateway.deviceId));
  await device.command("light", { colour: "red" });
  await waitFor("the report", () => device.on("e").some(({ text }) => text === reported("red")));
  const last = announced({ status: { colour: "red", level: 0 } });
  for (let round = 1; round <= 2; round++) {
    await device.mosquitto!.restart();
    await waitFor(`announcement ${round}`, () => device.on("e").filter(({ text }) => text === last).length === round);
    await waitFor(`request ${round}`, () => requests(device).length === round + 1);
    assert.ok(requests(device).every(({ text }) => text === ""));
  }
  // It is not deaf.
  await device.command("light", { colour: "blue" }, { requestId: "r2" });
  assert.equal(await device.text("command///res/r2/204"), answered("light"));
});
