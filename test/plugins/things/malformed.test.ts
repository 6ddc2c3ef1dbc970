// Whatever comes on the topics of commands is taken, answered or logged, and the host goes on serving.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { brokers, Device, envelopeText } from "./device.ts";
import { answered, light, reported } from "./lamp.ts";

const topic = "org.example/gateway-1/things/live/messages/light";
const path = "/features/Lamp/inbox/messages/light";
const headers = { "correlation-id": "c1", "response-required": true };
const value = { colour: "malformed" };
const whole = { topic, headers, path, value };
const without = (name: keyof typeof whole) => Object.fromEntries(Object.entries(whole).filter(([key]) => key !== name));
const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);
const inValue = (text: string) => JSON.stringify(whole).replace('{"colour":"malformed"}', text);

/** What is answered 400 where it has a request id. */
const refused: Record<string, unknown> = {
  "nothing at all": Buffer.alloc(0),
  "the payload null": "null",
  "an empty object": "{}",
  "an empty array": "[]",
  "a number": "7",
  "a text": '"command"',
  true: "true",
  "no JSON": "light",
  "half an envelope": JSON.stringify(whole).slice(0, 80),
  "two envelopes": JSON.stringify(whole).repeat(2),
  "a trailing comma": JSON.stringify(whole).replace(/}$/, ",}"),
  "single quotes": JSON.stringify(whole).replaceAll('"', "'"),
  "bytes that are no UTF-8": Buffer.from([0xff, 0xfe, 0x00, 0x7b]),
  "an overlong form in a text": Buffer.concat([
    Buffer.from('{"topic":"'),
    Buffer.from([0xc0, 0xaf]),
    Buffer.from('"}'),
  ]),
  "UTF-16": Buffer.from(JSON.stringify(whole), "utf16le"),
  "a byte order mark": `\ufeff${JSON.stringify(whole)}`,
  "zero bytes": Buffer.alloc(100),
  "no headers": without("headers"),
  "headers that are null": { ...whole, headers: null },
  "headers that are a list": { ...whole, headers: [] },
  "headers that are a text": { ...whole, headers: "response-required" },
  "headers that are a number": { ...whole, headers: 0 },
  "response-required that is a text": { ...whole, headers: { ...headers, "response-required": "true" } },
  "response-required that is a number": { ...whole, headers: { ...headers, "response-required": 1 } },
  "response-required that is an object": { ...whole, headers: { ...headers, "response-required": {} } },
  "a correlation id that is a number": { ...whole, headers: { ...headers, "correlation-id": 7 } },
  "a correlation id that is an object": { ...whole, headers: { ...headers, "correlation-id": {} } },
  "a correlation id that is a list": { ...whole, headers: { ...headers, "correlation-id": ["c1"] } },
  "a correlation id that is a boolean": { ...whole, headers: { ...headers, "correlation-id": false } },
  "no topic": without("topic"),
  "a topic that is null": { ...whole, topic: null },
  "a topic that is a number": { ...whole, topic: 1 },
  "a topic that is an object": { ...whole, topic: { namespace: "org.example" } },
  "an empty topic": { ...whole, topic: "" },
  "a topic of one level": { ...whole, topic: "light" },
  "a topic of slashes": { ...whole, topic: "///////" },
  "a topic of another kind": { ...whole, topic: "org.example/gateway-1/lamps/live/messages/light" },
  "a topic without channel": { ...whole, topic: "org.example/gateway-1/things" },
  "no path": without("path"),
  "a path that is null": { ...whole, path: null },
  "a path that is a list": { ...whole, path: ["features", "Lamp"] },
  "a path that is a number": { ...whole, path: 0 },
  "a value that is a text": { ...whole, value: "red" },
  "a value that is a number": { ...whole, value: 1e308 },
  "a value that is a list": { ...whole, value: [value] },
  "a value that is a boolean": { ...whole, value: true },
  "a value without what is required": { ...whole, value: {} },
  "no value where some is required": without("value"),
  "a value of the wrong type": { ...whole, value: { colour: { red: 1 } } },
  "a null in the value": { ...whole, value: { colour: null } },
  "a null in a list of objects": { ...whole, value: { colour: "red", levels: [null] } },
  "a number in a list of objects": { ...whole, value: { colour: "red", levels: [1, { softLevel: 2 }] } },
  "an object where a list is due": { ...whole, value: { colour: "red", levels: {} } },
  "a number in a map of texts": { ...whole, value: { colour: "red", options: { a: 1 } } },
  "a number beyond all doubles": inValue('{"colour":"red","n":1e999}'),
  "a number beyond all doubles, negative": inValue('{"colour":"red","n":[-1e999]}'),
  "the number NaN": inValue('{"colour":"red","n":NaN}'),
  "a number with ten thousand digits where none is due": inValue(`{"colour":${"9".repeat(10_000)}}`),
  "lists 101 deep": inValue(nested(101, "[", "]")),
  "lists 50,000 deep": inValue(nested(50_000, "[", "]")),
  "objects 40,000 deep": inValue(`${'{"a":'.repeat(40_000)}1${"}".repeat(40_000)}`),
  "headers 30,000 deep": JSON.stringify(whole).replace('"c1"', nested(30_000, "[", "]")),
  "lists that never end": inValue("[".repeat(100_000)),
  "a member called $secret": { ...whole, value: { colour: "red", $secret: "PATH" } },
  "a payload of 300,000 bytes": inValue(`{"colour":"${"x".repeat(300_000)}"}`),
};

/** What is no command for this device, or asks for no answer. */
const silent: Record<string, unknown> = {
  "another thing": { ...whole, topic: topic.replace("gateway-1", "gateway-2") },
  "a thing of another case": { ...whole, topic: topic.replace("gateway-1", "GATEWAY-1") },
  "another thing with broken headers": { ...whole, topic: topic.replace("gateway-1", "gateway-2"), headers: null },
  "another feature": { ...whole, path: path.replace("Lamp", "Bulb") },
  "a feature of another case": { ...whole, path: path.replace("Lamp", "lamp") },
  "another feature with broken headers": { ...whole, path: path.replace("Lamp", "Bulb"), headers: 7 },
  "an unknown operation": { ...whole, path: path.replace("messages/light", "messages/explode") },
  "an operation called __proto__": { ...whole, path: path.replace("messages/light", "messages/__proto__") },
  "a feature called __proto__": { ...whole, path: path.replace("Lamp", "__proto__") },
  "a feature called constructor": { ...whole, path: path.replace("Lamp", "constructor") },
  "an empty path": { ...whole, path: "" },
  "a path of slashes": { ...whole, path: "////////" },
  "a path that climbs": { ...whole, path: "/features/../features/Lamp/inbox/messages/light" },
  "the outbox": { ...whole, path: path.replace("inbox", "outbox") },
  "a message of the thing": { ...whole, path: "/inbox/messages/light" },
  "a policy": { ...whole, topic: "org.example/gateway-1/policies/commands/modify", path: "/" },
  "no answer wanted, and a wrong value": { ...whole, headers: { "response-required": false }, value: 7 },
  "headers without the one that asks": { ...whole, headers: {}, value: 7 },
};

const textOf = (given: unknown) =>
  typeof given === "string" || Buffer.isBuffer(given) ? given : JSON.stringify(given);

for (const { name, skip, embedded } of brokers)
  describe(`malformed commands on ${name}`, { skip, timeout: 120_000 }, () => {
    let device: Device;

    before(async () => {
      device = await Device.start(embedded, { workflows: { light } });
    });
    after(() => device[Symbol.asyncDispose]());

    const answers = (id: string) => device.on(new RegExp(`^command///res/${id}/`));
    /** A good command, answered after all that came before it. */
    const serves = async (id: string) => {
      await device.command("light", { colour: id }, { requestId: id });
      const answer = await waitFor(`the host to serve\n${device.host.log.slice(-3000)}`, () => answers(id)[0]);
      assert.equal(answer.text, answered("light"));
      await waitFor("the report", () => device.on("e").some(({ text }) => text === reported(id)));
    };

    test("what cannot be accepted is answered 400 and logged", async () => {
      for (const [index, given] of Object.values(refused).entries())
        await device.send(`command///req/refused-${index}/light`, textOf(given));
      for (const [index, [what, given]] of Object.entries(refused).entries()) {
        const [answer] = await waitFor(`an answer to ${what}`, () => {
          const found = answers(`refused-${index}`);
          return found.length > 0 && found;
        });
        assert.equal(answer!.topic, `command///res/refused-${index}/400`, what);
        const envelope = JSON.parse(answer!.text);
        assert.deepEqual(Object.keys(envelope), ["topic", "headers", "path", "value", "status"], what);
        assert.deepEqual(Object.keys(envelope.value), ["error", "status", "message"], what);
        assert.equal(envelope.value.error, "messages:parameter.invalid", what);
        assert.equal(envelope.headers["response-required"], false, what);
        assert.ok(["c1", ""].includes(envelope.headers["correlation-id"]), what);
        if (
          typeof given === "object" &&
          "path" in (given as object) &&
          typeof (given as typeof whole).path === "string"
        )
          assert.equal(envelope.path, path.replace("inbox", "outbox"), what);
      }
      for (const code of [
        "THINGS_ENVELOPE_INVALID",
        "THINGS_COMMAND_REFUSED",
        "INPUT_INVALID",
        "THINGS_PAYLOAD_TOO_LARGE",
      ])
        assert.ok(device.said(code), code);
      await serves("after-the-refused");
    });

    test("without a request id nothing is answered, and the host serves on", async () => {
      const before = device.on(/\/res\//).length;
      for (const given of Object.values(refused)) await device.send("command///req//light", textOf(given), 0);
      for (const strange of ["command///req", "command///req/", "command///req//", "c///q", "c///q/"])
        await device.send(strange, textOf(whole));
      await serves("after-those-without-id");
      const since = device.on(/\/res\//).slice(before);
      assert.deepEqual(
        since.map(({ topic: on }) => on),
        ["command///res/after-those-without-id/204"],
      );
    });

    test("what is for others, or asks for no answer, is met with silence", async () => {
      for (const [index, given] of Object.values(silent).entries())
        await device.send(`command///req/silent-${index}/light`, textOf(given));
      await serves("after-the-silent");
      assert.deepEqual(
        device.on(/res\/silent-/).map(({ topic: on }) => on),
        [],
      );
      assert.ok(!device.on("e").some(({ text }) => text.includes("malformed")));
    });

    test("strange names inside a value reach the workflow as they are and harm nothing", async () => {
      const strange =
        '{"colour":"strange","__proto__":{"polluted":true},"constructor":{"prototype":1},"":"","\\u0000":0}';
      const text = envelopeText("light", "VALUE", { requestId: "strange" }).replace('"VALUE"', strange);
      await device.send("command///req/strange/light", text);
      await waitFor("the answer", () => answers("strange").length > 0);
      await serves("after-the-strange");
      assert.ok(process.kill(device.host.pid, 0));
    });

    test("six hundred broken messages at once leave the host as it was", async () => {
      const kinds = Object.values(refused)
        .map(textOf)
        .filter((text) => text.length < 1000);
      const sent = Array.from({ length: 600 }, (_, n) =>
        device.send(
          `command///req/${n % 2 === 0 ? "" : `many-${n}`}/light`,
          kinds[n % kinds.length]!,
          n % 3 === 0 ? 0 : 1,
        ),
      );
      await Promise.all(sent);
      await serves("after-the-many");
      await waitFor("all answers", () => device.on(/res\/many-/).length >= 300);
      assert.equal(device.on(/res\/many-/).length, 300);
    });
  });
