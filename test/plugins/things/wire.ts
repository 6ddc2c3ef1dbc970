// What goes over the wire between broker and host, watched from between them.

import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import mqttPacket from "mqtt-packet";

/** Passes packets on both ways and shows each before it goes on; `false` holds it back for good. */
export async function watchWire(
  brokerPort: number,
  onPacket: (packet: mqttPacket.Packet, toHost: boolean) => boolean,
): Promise<{ port: number } & Disposable> {
  const sockets = new Set<Socket>();
  const server = createServer((host) => {
    const broker = connect(brokerPort, "127.0.0.1");
    for (const [from, to, toHost] of [
      [broker, host, true],
      [host, broker, false],
    ] as const) {
      sockets.add(from);
      const parser = mqttPacket.parser();
      parser.on("packet", (packet: mqttPacket.Packet) => {
        if (onPacket(packet, toHost)) to.write(mqttPacket.generate(packet));
      });
      from.on("data", (bytes: Buffer) => parser.parse(bytes));
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on("error", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
