// The service `things`, used by a plugin in the host's process and in one of its own.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { needs } from "../../support/parts.ts";
import { Device, gateway } from "./device.ts";
import { modified } from "./lamp.ts";
import { broken, busy, call, fail, probe } from "./probe.ts";

for (const isolation of ["in-process", "fieldbus"])
  describe(`the service things, used from ${isolation}`, { skip: needs("mosquitto"), timeout: 120_000 }, () => {
    let device: Device;
    let calls = 0;

    before(async () => {
      device = await Device.start(false, {
        workflows: { call, fail, busy, broken },
        plugins: [{ plugin: probe, isolation }],
        faulty: true,
        device: null,
      });
    });
    after(() => device[Symbol.asyncDispose]());

    const use = async (method: string, argument: unknown = null) => {
      const n = ++calls;
      await device.send("call", JSON.stringify({ n, method, argument }));
      return JSON.parse(await device.text(`called/${n}`)).result;
    };
    const sent = (topic: string, text: string) =>
      waitFor(`${text} on ${topic}\n${device.host.log}`, () => device.on(topic).some((heard) => heard.text === text));
    const told = (text: string) => device.host.lines().filter(({ msg }) => msg === text);

    test("the identity is null until there is one, and listeners hear of each", async () => {
      assert.equal(await use("identity"), null);
      await device.send("edge/thing/response", JSON.stringify({ ...gateway, policyId: undefined }));
      await waitFor("the listener", () => told("probe: identity").length === 1);
      assert.deepEqual(await use("identity"), gateway);
      assert.deepEqual(told("probe: identity")[0]!.identity, gateway);
    });

    test("a feature is registered, reported, sent from, and removed, in this order on the wire", async () => {
      const address = { feature: "Pump" };
      await use("register", { ...address, definition: ["a:b:1.0.0"], properties: { on: false, off: { n: 1 } } });
      await use("report", { ...address, path: "on", value: true });
      await use("report", { ...address, path: "off/n", value: null });
      await use("report", { ...address, path: "off/n", value: null, sendNull: true, headers: { "x-a": "b" } });
      const value = { correlationId: "c#1", options: {} };
      await use("send", { ...address, subject: "request", value, replyTo: true });
      const consent = { subject: "consent", value: null, correlationId: "u1", responseRequired: true };
      await use("send", { ...address, ...consent, key: "once" });
      await use("send", { ...address, ...consent, key: "once" });
      await use("unregister", { ...address, remove: true });
      const topic = "org.example/gateway-1/things";
      const gone = `{"topic":"${topic}/twin/commands/delete","headers":{"response-required":false},"path":"/features/Pump"}`;
      await sent("e", gone);
      assert.deepEqual(
        device.on("e").map(({ text }) => text),
        [
          modified("/features/Pump", { definition: ["a:b:1.0.0"], properties: { on: false, off: { n: 1 } } }),
          modified("/features/Pump/properties/on", true),
          modified("/features/Pump/properties/off/n", undefined),
          modified("/features/Pump/properties/off/n", null).replace("false}", 'false,"x-a":"b"}'),
          `{"topic":"${topic}/live/messages/request","headers":{"content-type":"application/json",` +
            `"reply-to":"command/demo","response-required":false},"path":"/features/Pump/outbox/messages/request",` +
            `"value":${JSON.stringify(value)}}`,
          `{"topic":"${topic}/live/messages/consent","headers":{"content-type":"application/json",` +
            `"correlation-id":"u1","response-required":true},"path":"/features/Pump/outbox/messages/consent"}`,
          gone,
        ],
      );
    });

    test("commands reach the listener with their names mapped, and each is answered once under a key", async () => {
      await device.command("repeat", { CORRELATIONID: "x" }, { feature: "Probe", requestId: "p1" });
      const answer = await device.text("command///res/p1/200");
      assert.equal(
        answer,
        '{"topic":"org.example/gateway-1/things/live/messages/repeat",' +
          '"headers":{"content-type":"application/json","correlation-id":"c1","response-required":false},' +
          '"path":"/features/Probe/outbox/messages/repeat","value":{"correlationId":"x"},"status":200}',
      );
      await device.command("refuse", {}, { feature: "Probe", requestId: "p2" });
      assert.deepEqual(JSON.parse(await device.text("command///res/p2/404")).value, {
        error: "probe:nothing.found",
        status: 404,
        message: "there is nothing",
      });
      await device.command("repeat", {}, { feature: "Probe", requestId: "", headers: {} });
      await waitFor("the third", () => told("probe: command").length === 3);
      assert.equal(device.on("command///res/p1/200").length, 1);
    });

    test("a failing run is answered with what its error carries, or what goes with the status", async () => {
      for (const [given, code] of [
        [{ status: 404, error: "probe:nothing.found" }, "probe:nothing.found"],
        [{ status: 409 }, "messages:parameter.invalid"],
        [{ status: 503 }, "messages:execution.failed"],
      ] as const) {
        const requestId = `fail-${given.status}`;
        await device.command("fail", given, { feature: "Failing", requestId });
        assert.deepEqual(JSON.parse(await device.text(`command///res/${requestId}/${given.status}`)).value, {
          error: code,
          status: given.status,
          message: "it was told to",
        });
      }
    });

    test("a command that cannot become a run now is answered 500", async () => {
      const ask = async (operation: string, requestId: string) => {
        await device.command(operation, {}, { feature: "Failing", requestId });
        const answer = await waitFor("an answer", () => device.on(new RegExp(`^command///res/${requestId}/`))[0]);
        return [answer.topic.slice(-3), JSON.parse(answer.text).value?.message];
      };
      assert.deepEqual(await ask("busy", "busy-1"), ["204", undefined]);
      const [status, message] = await ask("busy", "busy-2");
      assert.equal(status, "500");
      assert.match(message, /busy/);
      assert.deepEqual(await ask("broken", "broken-1"), ["500", "the workflow of this operation has faults"]);
      assert.ok(device.said("GROUP_BUSY"));
      assert.ok(device.said("WORKFLOW_BROKEN"));
    });

    test("a command whose listener rejects comes again with the next connection", async () => {
      await device.command("later", {}, { feature: "Probe", requestId: "p3" });
      const times = () => told("probe: command").filter(({ operation }) => operation === "later").length;
      await waitFor("the command", () => times() === 1);
      await device.mosquitto!.restart();
      await waitFor("the command again", () => times() === 2);
    });

    test("names that the protocol cannot carry are refused", async () => {
      for (const address of [
        { feature: "a/b" },
        { feature: "" },
        { feature: "a\u0000" },
        { feature: "F", thing: "nothing" },
        { feature: "F", thing: "ns:a/b" },
        { feature: "F", thing: "ns:+" },
      ])
        assert.equal(await use("register", address), "THINGS_FEATURE_INVALID", JSON.stringify(address));
      assert.equal(await use("register", { feature: "F", thing: "{deviceId}:child" }), null);
      await sent("e/demo/org.example:gateway-1:child", modified("/features/F", {}, "org.example/gateway-1:child"));
    });

    test("a connector of this host gives the identity, answers with it, and takes it back", async () => {
      const identity = { deviceId: "org.example:gateway-9", tenantId: "t", policyId: "p" };
      await use("provideIdentity", identity);
      const own = '{"deviceId":"org.example:gateway-9","tenantId":"t","policyId":"p"}';
      await sent("edge/thing/response", own);
      await waitFor("the listener", () => told("probe: identity").length === 2);
      const answers = () => device.on("edge/thing/response").filter(({ text }) => text === own).length;
      const before = answers();
      await device.send("edge/thing/request", "");
      await waitFor("the answer", () => answers() === before + 1);
      await use("provideIdentity", null);
      await device.send("edge/thing/request", "");
      assert.deepEqual(await use("identity"), identity);
      assert.equal(answers(), before + 1);
    });
  });
