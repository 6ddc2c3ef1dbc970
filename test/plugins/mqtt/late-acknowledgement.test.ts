// What the client says to a broker that is played packet by packet.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { generate, type Packet, parser } from "mqtt-packet";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { PluginHost, said } from "./plugin-host.ts";

/** A broker that knows every session and answers subscriptions and pings only; `connections` is what each has sent. */
async function playedBroker(onConnect: (connection: number, send: (...packets: Packet[]) => void) => void) {
  const connections: Packet[][] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const received: Packet[] = [];
    connections.push(received);
    sockets.push(socket.on("error", () => {}));
    // One write, so that they come in one piece.
    const send = (...packets: Packet[]) => void socket.write(Buffer.concat(packets.map((packet) => generate(packet))));
    const reader = parser();
    reader.on("packet", (packet) => {
      received.push(packet);
      if (packet.cmd === "connect") onConnect(connections.length, send);
      if (packet.cmd === "subscribe")
        send({ cmd: "suback", messageId: packet.messageId!, granted: packet.subscriptions.map(({ qos }) => qos) });
      if (packet.cmd === "pingreq") send({ cmd: "pingresp" });
    });
    socket.on("data", (chunk: Buffer) => void reader.parse(chunk));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    sockets,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const connack = (sessionPresent: boolean): Packet => ({ cmd: "connack", returnCode: 0, sessionPresent });
const message = (messageId: number, dup: boolean): Packet => ({
  ...{ cmd: "publish", topic: "t", payload: `${messageId}`, qos: 1, dup, retain: false, messageId },
});
const acknowledged = (packets: Packet[] | undefined) =>
  (packets ?? []).flatMap((packet) => (packet.cmd === "puback" ? [packet.messageId] : []));

test("messages that come before all is sent again are acknowledged, those of the last connection are not", async () => {
  let answer: (() => void) | undefined;
  using broker = await playedBroker((connection, send) => {
    if (connection === 1) return send(connack(false));
    send(connack(true), message(7, true), message(8, false));
    // The client's own message is answered late, and it calls itself connected only then.
    answer = () => {
      const again = broker.connections[1]!.find(({ cmd }) => cmd === "publish");
      send({ cmd: "puback", messageId: (again as Packet & { messageId: number }).messageId });
    };
  });
  await using host = new PluginHost();
  const plugin = await host.start({ broker: broker.url });
  const handled: string[] = [];
  const { promise: go, resolve: letGo } = Promise.withResolvers<void>();
  await plugin.mqtt.subscribe({ topic: "t" }, async ({ payload }) => {
    handled.push(payload!);
    await go;
  });
  await waitFor("the subscription", () => said(plugin, /subscribed to t/));
  broker.sockets[0]!.write(generate(message(5, false)));
  await waitFor("the first message", () => handled.includes("5"));
  await plugin.step("publish", { topic: "own", payload: 1 });
  await waitFor("the client's message", () => broker.connections[0]!.some(({ cmd }) => cmd === "publish"));
  broker.sockets[0]!.destroy();
  await waitFor("the messages of the second connection", () => handled.includes("8"));
  await waitFor("the client's message again", () => broker.connections[1]!.some(({ cmd }) => cmd === "publish"));
  answer!();
  await waitFor(
    "the connection",
    () => plugin.lines.filter(({ text }) => /connected to broker/.test(text)).length === 2,
  );
  letGo();
  await waitFor("the acknowledgements", () => acknowledged(broker.connections[1]).length >= 2);
  assert.deepEqual(acknowledged(broker.connections[1]), [7, 8]);
  assert.deepEqual(acknowledged(broker.connections[0]), []);
  await plugin.stop();
});
