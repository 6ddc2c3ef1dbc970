import assert from "node:assert/strict";
import { test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { brokers, Device } from "./device.ts";

/** Asks the hub, and tells what it said. */
const ask = {
  name: "ask",
  on: [
    { trigger: "things/command", with: { feature: "Lamp", operation: "ask", definition: ["org.example:Lamp:1.0.0"] } },
  ],
  inputs: { type: "object", properties: { timeout: { type: "string", default: "1m" } } },
  steps: [
    {
      id: "ask",
      uses: "things/request",
      with: { feature: "Lamp", subject: "consent", value: { n: 1 }, response: true, timeout: "${{ inputs.timeout }}" },
    },
    {
      uses: "things/report",
      with: {
        feature: "Lamp",
        path: "",
        value: { said: "${{ steps.ask.outputs }}" },
        headers: { "content-type": "application/json" },
      },
    },
  ],
  onFailure: [{ uses: "things/report", with: { feature: "Lamp", path: "failed", value: "${{ error.code }}" } }],
};

/** Only sends. */
const tell = {
  name: "tell",
  on: [{ trigger: "things/command", with: { feature: "Lamp", operation: "tell" } }],
  steps: [
    {
      uses: "things/request",
      with: {
        feature: "Lamp",
        subject: "request",
        value: { correlationId: "${{ event.correlationId }}#1" },
        replyTo: true,
      },
    },
    { uses: "things/request", with: { feature: "Lamp", subject: "bare" } },
  ],
};

const questions = (device: Device) => device.on("e").filter(({ text }) => text.includes("/outbox/messages/consent"));

for (const { name, skip, embedded } of brokers) {
  const options = { skip, timeout: 90_000 };

  test(`${name}: things/request gives the response with its correlation id, of whatever form`, options, async () => {
    await using device = await Device.start(embedded, { workflows: { ask } });
    for (const [round, respond] of [
      // As a hub answers a message.
      (text: string) => {
        const { topic, path, headers } = JSON.parse(text);
        return [
          "command///req//consent-response",
          { topic, path, headers, status: 200, value: { yes: true } },
        ] as const;
      },
      // As a command of its own, with the correlation id of the question.
      (text: string) => {
        const { topic, path, headers } = JSON.parse(text);
        const command = { topic, headers, path: path.replace("outbox", "inbox"), value: { yes: true } };
        return ["command///req/r9/consent", command] as const;
      },
    ].entries()) {
      await device.command("ask", {}, { requestId: `ask-${round}` });
      await waitFor("the question", () => questions(device).length === round + 1);
      const { text } = questions(device)[round]!;
      const { headers } = JSON.parse(text);
      assert.equal(headers["response-required"], true);
      assert.match(headers["correlation-id"], /^gantry-[0-9a-f]{32}$/);
      const [topic, answer] = respond(text);
      await device.send(
        "command///req//consent-response",
        JSON.stringify({ ...answer, headers: { "correlation-id": "other" } }),
      );
      await device.send(topic, JSON.stringify(answer));
      const said = { correlationId: headers["correlation-id"], status: round === 0 ? 200 : 0, value: { yes: true } };
      const expected =
        '{"topic":"org.example/gateway-1/things/twin/commands/modify",' +
        '"headers":{"content-type":"application/json","response-required":false},' +
        `"path":"/features/Lamp/properties","value":${JSON.stringify({ said })}}`;
      await waitFor(`${expected}\n${device.host.log}`, () => device.on("e").some((heard) => heard.text === expected));
    }
  });

  test(`${name}: without a response in time the step fails with a code`, options, async () => {
    await using device = await Device.start(embedded, { workflows: { ask } });
    await device.command("ask", { timeout: "50ms" });
    await waitFor("the failure", () =>
      device.on("e").some(({ text }) => text.includes('"value":"THINGS_RESPONSE_TIMEOUT"')),
    );
  });
}

test("things/request only sends where no response is asked for", {
  skip: brokers[0]!.skip,
  timeout: 60_000,
}, async () => {
  await using device = await Device.start(false, { workflows: { tell } });
  await device.command("tell", {}, { correlationId: "cid" });
  const topic = "org.example/gateway-1/things/live/messages";
  assert.deepEqual(await device.texts("e", 2), [
    `{"topic":"${topic}/request","headers":{"content-type":"application/json","reply-to":"command/demo",` +
      '"response-required":false},"path":"/features/Lamp/outbox/messages/request","value":{"correlationId":"cid#1"}}',
    `{"topic":"${topic}/bare","headers":{"content-type":"application/json","response-required":false},` +
      '"path":"/features/Lamp/outbox/messages/bare"}',
  ]);
});

test("a question is the same one over a kill of the host, and its response is found after it", {
  skip: brokers[0]!.skip,
  timeout: 90_000,
}, async () => {
  await using device = await Device.start(false, { workflows: { ask } });
  await device.command("ask", {});
  await waitFor("the question", () => questions(device).length === 1);
  await device.host.kill();
  const { topic, path, headers } = JSON.parse(questions(device)[0]!.text);
  // It waits at the broker, and comes before the step has begun again, or after.
  await device.send("command///req//consent-response", JSON.stringify({ topic, path, headers, status: 204 }));
  await device.startHost();
  await waitFor(`the end\n${device.host.log}`, () =>
    device.on("e").some(({ text }) => text.includes('"status":204,"value":null')),
  );
  assert.equal(new Set(questions(device).map(({ text }) => text)).size, 1);
});
