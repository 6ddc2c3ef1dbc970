// mqtt.js sends the PUBACK of a message itself, as soon as its handler calls back, and reads nothing more until then: a
// handler that waits for its own publish on the same connection would wait for ever. Here the library is told at once
// that a message is handled, its PUBACK is held back, and a PUBACK goes out when the message really is.

import type { MqttClient, Packet } from "mqtt";

interface Internals {
  _sendPacket(packet: Packet, ...rest: unknown[]): unknown;
}

/** From now on PUBACKs leave by the returned function only. It does nothing for a message of an earlier connection. */
export function acknowledgeLate(client: MqttClient): {
  connection(): number;
  acknowledge(connection: number, messageId: number): void;
} {
  const internals = client as unknown as Internals;
  if (typeof internals._sendPacket !== "function") throw new Error("mqtt.js has changed: _sendPacket is gone");
  const send = internals._sendPacket.bind(client);
  let connection = 0;
  // Not at `connect`, which comes once everything is sent again that the last connection left unanswered: by then the
  // broker's first messages on this one may have been read.
  client.on("packetreceive", ({ cmd }) => {
    if (cmd === "connack") connection += 1;
  });
  internals._sendPacket = (packet, ...rest) => {
    if (packet.cmd !== "puback") return send(packet, ...rest);
    const [callback] = rest as [(() => void)?];
    callback?.();
    return undefined;
  };
  return {
    connection: () => connection,
    acknowledge(of, messageId) {
      // Packet ids mean other messages on a new connection; the broker delivers the old ones again.
      if (of === connection && client.connected) send({ cmd: "puback", messageId, reasonCode: 0 } as Packet);
    },
  };
}
