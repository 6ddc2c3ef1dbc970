// Commands and their answers, spoken over MQTT alone.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { brokers, type CommandText, Device, envelopeText, gateway } from "./device.ts";
import { all, announced, answered, modified, reported } from "./lamp.ts";

for (const { name, skip, embedded } of brokers)
  describe(`commands on ${name}`, { skip, timeout: 120_000 }, () => {
    let device: Device;
    let serial = 0;

    before(async () => {
      device = await Device.start(embedded, { workflows: all });
    });
    after(() => device[Symbol.asyncDispose]());

    /** A request id of the test's own. */
    const own = () => `q${++serial}`;
    const answers = (id: string) => device.on(new RegExp(`^(command|c)//[^/]*/(res|s)/${id}/`));
    const answer = async (id: string) => (await waitFor(`the answer ${id}\n${device.host.log}`, () => answers(id)[0]))!;
    /** Everything before it has been dealt with: commands are taken in the order in which they come. */
    const settle = async () => {
      const id = own();
      await device.command("anything", "settled", { requestId: id });
      await answer(id);
    };
    const on = (path: string) => device.on("e").filter(({ text }) => text.includes(`"path":"${path}"`));
    const lastOn = async (path: string, text: string) =>
      waitFor(`${text} on ${path}\n${device.host.log}`, () => on(path).some((heard) => heard.text === text));

    test("a workflow alone announces its feature, takes a command, answers it and reports", async () => {
      const id = own();
      await device.command("light", { colour: "red" }, { requestId: id });
      const { topic, text, retain } = await answer(id);
      assert.deepEqual([topic, text, retain], [`command///res/${id}/204`, answered("light"), false]);
      await lastOn("/features/Lamp/properties/status/colour", reported("red"));
      if (!embedded) assert.equal(device.on("e")[0]!.text, announced());
    });

    test("the device's own id and the short forms are taken, and answered in kind", async () => {
      for (const [topic, answerTopic] of [
        [`command//${gateway.deviceId}/req/ID/light`, `command//${gateway.deviceId}/res/ID/204`],
        [`c//${gateway.deviceId}/q/ID/light`, `c//${gateway.deviceId}/s/ID/204`],
        ["c///q/ID/light", "c///s/ID/204"],
        ["command///req/ID/some/other/subject", "command///res/ID/204"],
      ] as const) {
        const id = own();
        await device.command("light", { colour: "blue" }, { topic: topic.replace("ID", id) });
        const { topic: answerOn, text } = await answer(id);
        assert.deepEqual([answerOn, text], [answerTopic.replace("ID", id), answered("light")]);
      }
    });

    test("what a connector publishes in both forms starts one run and has one answer", async () => {
      const id = own();
      const text = envelopeText("anything", { both: id });
      await device.send(`command//${gateway.deviceId}/req/${id}/anything`, text);
      await device.send(`c//${gateway.deviceId}/q/${id}/anything`, text);
      await settle();
      assert.equal(answers(id).length, 1);
      await waitFor("its report", () => on("/features/Lamp/properties/anything").some(({ text: t }) => t.includes(id)));
      assert.equal(on("/features/Lamp/properties/anything").filter(({ text: t }) => t.includes(id)).length, 1);
      // Sent once more on both, it is another command.
      await device.send(`c//${gateway.deviceId}/q/${id}/anything`, text, 0);
      await device.send(`command//${gateway.deviceId}/req/${id}/anything`, text, 0);
      await waitFor("the second answer", () => answers(id).length === 2);
    });

    test("names of members are read whatever their case, those of maps as they are", async () => {
      const value = {
        CorrelationID: "x1",
        COLOUR: "green",
        Levels: [{ SOFTLEVEL: 1 }, { softlevel: 2 }],
        Options: { Mode: "a", mode: "b" },
        Unknown: { Colour: 1 },
      };
      const id = own();
      const headers = '"HEADERS":{"Correlation-Id":"c9","Response-Required":true}';
      const text =
        `{"Topic":"org.example/gateway-1/things/live/messages/echo",${headers},` +
        `"PATH":"/features/Lamp/inbox/messages/echo","Value":${JSON.stringify(value)}}`;
      await device.send(`command///req/${id}/echo`, text);
      assert.equal((await answer(id)).text, answered("echo", "c9"));
      const mapped = {
        correlationId: "x1",
        colour: "green",
        levels: [{ softLevel: 1 }, { softLevel: 2 }],
        options: { Mode: "a", mode: "b" },
        Unknown: { Colour: 1 },
      };
      await lastOn("/features/Lamp/properties/echo", reported(mapped, "echo"));
    });

    test("a command without a request id is dropped, unless the trigger says that it is run", async () => {
      await device.command("echo", { colour: "dropped" }, { requestId: "" });
      await device.command("anything", { run: 1 }, { requestId: "", correlationId: "c2" });
      const texts = await waitFor("an answer without an id", () => device.on("command///res//204")[0]);
      assert.equal(texts.text, answered("anything", "c2"));
      assert.ok(device.said("THINGS_COMMAND_REFUSED"));
      await lastOn("/features/Lamp/properties/anything", reported({ run: 1 }, "anything"));
      assert.ok(!device.on("e").some(({ text }) => text.includes("dropped")));
    });

    test("a missing value is an empty object, and any value may come", async () => {
      for (const [value, seen] of [
        [undefined, {}],
        [null, {}],
        [false, false],
        ["text", "text"],
        [
          [1, 2],
          [1, 2],
        ],
      ] as const) {
        const id = own();
        await device.command("anything", value, { requestId: id });
        assert.equal((await answer(id)).topic, `command///res/${id}/204`);
        await lastOn("/features/Lamp/properties/anything", reported(seen, "anything"));
      }
    });

    test("no answer is sent where none is wanted", async () => {
      for (const headers of [
        {},
        { "response-required": false, "correlation-id": "c" },
        { "response-required": null },
        { "correlation-id": "c" },
      ]) {
        const id = own();
        await device.command("light", { colour: "quiet" }, { requestId: id, headers });
        await device.command("light", {}, { requestId: id, headers });
        await device.command("anything", "no headers", { requestId: id, headers: undefined });
        await settle();
        assert.deepEqual(answers(id), []);
      }
    });

    test("a correlation id that is missing or null is empty in the answer", async () => {
      for (const headers of [{ "response-required": true }, { "response-required": true, "correlation-id": null }]) {
        const id = own();
        await device.command("light", { colour: "x" }, { requestId: id, headers });
        assert.equal((await answer(id)).text, answered("light", ""));
      }
    });

    test("input that does not match is answered 400, with the reason", async () => {
      const id = own();
      await device.command("light", { colour: 7 }, { requestId: id });
      const { topic, text } = await answer(id);
      assert.equal(topic, `command///res/${id}/400`);
      const message = JSON.parse(text).value.message;
      assert.match(message, /\/colour/);
      assert.equal(
        text,
        '{"topic":"org.example/gateway-1/things/live/messages/light",' +
          '"headers":{"content-type":"application/json","correlation-id":"c1","response-required":false},' +
          '"path":"/features/Lamp/outbox/messages/light",' +
          `"value":{"error":"messages:parameter.invalid","status":400,"message":${JSON.stringify(message)}},"status":400}`,
      );
    });

    test("an unknown operation, another feature, another thing and events are met with silence", async () => {
      const silent: Partial<CommandText>[] = [
        { feature: "Lamp" },
        { feature: "Unknown" },
        { thing: "org.example:gateway-2" },
        { thing: "gateway-1:org.example" },
      ];
      const ids = silent.map(own);
      for (const [index, more] of silent.entries())
        await device.command(
          index === 0 ? "unknown" : "light",
          { colour: "silent" },
          { requestId: ids[index]!, ...more },
        );
      const event = {
        topic: "org.example/gateway-1/things/twin/events/modified",
        headers: {},
        path: "/features/Lamp/properties/status",
        value: {},
      };
      await device.send("command///req//modified", JSON.stringify(event));
      await settle();
      assert.deepEqual(ids.flatMap(answers), []);
      assert.ok(!device.on("e").some(({ text }) => text.includes("silent")));
    });

    test("when-finished answers with the output of the run, or with its error", async () => {
      const done = own();
      await device.command("finish", {}, { requestId: done });
      assert.deepEqual(Object.values(await answer(done)).slice(0, 2), [
        `command///res/${done}/200`,
        '{"topic":"org.example/gateway-1/things/live/messages/finish",' +
          '"headers":{"content-type":"application/json","correlation-id":"c1"},' +
          '"path":"/features/Lamp/outbox/messages/finish","value":{"hours":7},"status":200}',
      ]);
      const failed = own();
      await device.command("finish", { fail: true }, { requestId: failed });
      const { topic, text } = await answer(failed);
      assert.equal(topic, `command///res/${failed}/500`);
      assert.ok(
        text.endsWith(
          '"value":{"error":"messages:execution.failed","status":500,"message":"the bulb is broken"},"status":500}',
        ),
        text,
      );
    });

    test("answers can do without the output, and then still have the content type", async () => {
      const id = own();
      await device.command("upload", undefined, { requestId: id });
      assert.deepEqual(Object.values(await answer(id)).slice(0, 2), [
        `command///res/${id}/204`,
        '{"topic":"org.example/gateway-1/things/live/messages/upload",' +
          '"headers":{"content-type":"application/json","correlation-id":"c1"},' +
          '"path":"/features/Lamp/outbox/messages/upload","status":204}',
      ]);
    });

    test("an answer after a step has what the step gave; a run that fails before is answered with its error", async () => {
      const done = own();
      await device.command("after", {}, { requestId: done });
      const { topic, text } = await answer(done);
      assert.equal(topic, `command///res/${done}/200`);
      assert.equal(JSON.parse(text).value.output, "first");
      await lastOn("/features/Lamp/properties/status/colour", reported("second"));
      const failed = own();
      await device.command("after", { fail: true }, { requestId: failed });
      assert.equal((await answer(failed)).topic, `command///res/${failed}/500`);
      await settle();
      assert.equal(answers(done).length, 1);
      assert.equal(answers(failed).length, 1);
    });

    test("a feature can refuse in the words of file upload", async () => {
      const unknown = own();
      await device.command("restart", {}, { requestId: unknown, feature: "Strict" });
      assert.deepEqual(Object.values(await answer(unknown)).slice(0, 2), [
        `command///res/${unknown}/400`,
        '{"topic":"org.example/gateway-1/things/live/messages/restart",' +
          '"headers":{"content-type":"application/json","correlation-id":"c1"},' +
          '"path":"/features/Strict/outbox/messages/restart",' +
          '"value":{"error":"messages:execution.failed","status":400,"message":"Unsupported operation: restart"},"status":400}',
      ]);
      const invalid = own();
      await device.command("trigger", { correlationID: 7 }, { requestId: invalid, feature: "Strict" });
      assert.equal(
        JSON.parse((await answer(invalid)).text).value.message,
        `invalid 'trigger' operation parameters: {"correlationId":7}`,
      );
    });

    test("another thing of the device has features, commands and answers of its own", async () => {
      const thing = `${gateway.deviceId}:edge:containers`;
      const topic = "org.example/gateway-1:edge:containers";
      const own1 = own();
      const headers = { "correlation-id": "c1", "response-required": true, "content-type": "application/json" };
      const about = { thing, feature: "ContainerFactory", headers };
      await device.command("create", { imageRef: "x" }, { ...about, topic: `command//${thing}/req/${own1}/create` });
      assert.deepEqual(Object.values(await answer(own1)).slice(0, 2), [
        `command//${thing}/res/${own1}/200`,
        `{"topic":"${topic}/things/live/messages/create",` +
          '"headers":{"content-type":"application/json","correlation-id":"c1"},' +
          '"path":"/features/ContainerFactory/outbox/messages/create","value":"an-id","status":200}',
      ]);
      const events = device.on(`e/demo/${thing}`).map(({ text }) => text);
      const last = modified("/features/ContainerFactory/properties/last", { imageRef: "x" }, topic);
      assert.ok(events.includes(last), events.join("\n"));
      if (!embedded) {
        const whole = { definition: ["com.bosch.iot.suite.edge.containers:ContainerFactory:1.3.0"] };
        assert.equal(events[0], modified("/features/ContainerFactory", whole, topic));
      }
      const refused = async (operation: string, more: Partial<CommandText>) => {
        const id = own();
        const value = "value" in more ? undefined : {};
        await device.command(operation, value, { ...about, ...more, topic: `command//${thing}/req/${id}/x` });
        const { topic: on, text } = await answer(id);
        return [on.slice(on.lastIndexOf("/") + 1), JSON.parse(text).path, JSON.parse(text).value.message];
      };
      assert.deepEqual(await refused("destroy", {}), [
        "404",
        "/features/ContainerFactory/outbox/messages/destroy",
        "unsupported operation destroy",
      ]);
      assert.deepEqual(await refused("create", { feature: "Container:1" }), [
        "400",
        "/features/Container:1/inbox/messages/create",
        "feature [Container:1] not found ",
      ]);
      assert.deepEqual(await refused("create", { headers: { "response-required": true } }), [
        "400",
        "/features/ContainerFactory/inbox/messages/create",
        "the header correlation-id is missing",
      ]);
      const noType = { "response-required": true, "correlation-id": "c" };
      assert.equal(
        (await refused("create", { headers: noType }))[2],
        "the header content-type is not application/json",
      );
    });
  });
