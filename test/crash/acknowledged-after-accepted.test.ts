// What goes over the wire between broker and host, watched from between them: no message is acknowledged before its run
// is on disk, and a host killed the moment a message reaches it loses none and makes no second run of one.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import mqtt from "mqtt";
import mqttPacket from "mqtt-packet";
import { startMosquitto } from "../../host/testing/mosquitto.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { type HostFolder, HostProcess, makeHostFolder } from "../support/host-process.ts";
import { needs } from "../support/parts.ts";

const take = {
  name: "take",
  on: [{ trigger: "mqtt/message", with: { topic: "take" } }],
  inputs: { type: "object", required: ["n"], properties: { n: { type: "integer" } } },
  steps: [{ uses: "mqtt/publish", with: { topic: "taken", payload: "${{ inputs.n }}" } }],
};

/** Passes bytes on both ways and shows each packet before it goes on; `false` holds it back for good. */
async function watch(
  port: number,
  onPacket: (packet: mqttPacket.Packet, toHost: boolean) => boolean,
): Promise<{ server: Server; port: number }> {
  const server = createServer((host) => {
    const broker = connect(port, "127.0.0.1");
    for (const [from, to, toHost] of [
      [broker, host, true],
      [host, broker, false],
    ] as const) {
      const parser = mqttPacket.parser();
      parser.on("packet", (packet: mqttPacket.Packet) => {
        if (onPacket(packet, toHost)) to.write(mqttPacket.generate(packet));
      });
      from.on("data", (bytes: Buffer) => parser.parse(bytes));
      from.on("close", () => to.destroy());
      from.on("error", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

function acceptedInputs(folder: HostFolder): number[] {
  const database = new DatabaseSync(join(folder.data, "gantry.db"), { readOnly: true });
  try {
    const rows = database.prepare("SELECT input FROM runs").all() as { input: string }[];
    return rows.map(({ input }) => (JSON.parse(input) as { n: number }).n);
  } finally {
    database.close();
  }
}

test("a PUBACK leaves only when the run is on disk, and no kill at a delivery loses or doubles a message", {
  skip: needs("mosquitto"),
  timeout: 180_000,
}, async () => {
  const root = await mkdtemp(join(tmpdir(), "gantry-ack-"));
  const broker = await startMosquitto();
  let folder: HostFolder;
  let host: HostProcess | undefined;
  /** The number each packet id stands for on the present connection. */
  const delivered = new Map<number, number>();
  const early: number[] = [];
  let acknowledged = 0;
  let kill: "at-publish" | "at-puback" | undefined;
  const { server, port } = await watch(broker.port, (packet, toHost) => {
    if (packet.cmd === "connect") delivered.clear();
    if (toHost && packet.cmd === "publish" && packet.topic === "take") {
      delivered.set(packet.messageId!, JSON.parse(packet.payload.toString()).n);
      if (kill === "at-publish") return killNow();
    }
    if (!toHost && packet.cmd === "puback" && delivered.has(packet.messageId!)) {
      const n = delivered.get(packet.messageId!)!;
      if (!acceptedInputs(folder).includes(n)) early.push(n);
      acknowledged += 1;
      // The broker never hears of this acknowledgement and will deliver again.
      if (kill === "at-puback") return killNow();
    }
    return true;
  });
  function killNow(): boolean {
    const pass = kill === "at-publish";
    kill = undefined;
    if (pass) setImmediate(() => process.kill(host!.pid, "SIGKILL"));
    else process.kill(host!.pid, "SIGKILL");
    return pass;
  }
  const plugins = [{ plugin: "mqtt", config: { broker: `mqtt://127.0.0.1:${port}` } }];
  folder = await makeHostFolder(root, { workflows: ["./workflows"], plugins }, { take });
  const start = async () => {
    host = new HostProcess(folder);
    await host.ready();
    await waitFor("the subscription", () => /subscribed/.test(host!.log));
  };
  const client = await mqtt.connectAsync(broker.url);
  try {
    await start();
    let sent = 0;
    for (let round = 0; round < 12; round++) {
      kill = round % 2 === 0 ? "at-publish" : "at-puback";
      for (let count = 0; count < 5; count++)
        await client.publishAsync("take", JSON.stringify({ n: sent++ }), { qos: 1 });
      await host!.gone();
      await start();
      await waitFor(`all runs of round ${round}\n${host!.log}`, () => new Set(acceptedInputs(folder)).size === sent);
    }
    assert.deepEqual(
      acceptedInputs(folder).toSorted((a, b) => a - b),
      Array.from({ length: sent }, (_, n) => n),
    );
    assert.deepEqual(early, [], "acknowledged before the run was on disk");
    assert.ok(acknowledged >= sent, "the watcher has not seen the acknowledgements");
  } finally {
    await client.endAsync();
    assert.equal(await host?.stop(), 0);
    server.close();
    await broker.stop();
    await rm(root, { recursive: true });
  }
});
