// A broker in this process, for devices that have none: loopback, MQTT 3.1.1. Listeners of this process are served
// without a socket and before the sender gets its acknowledgement.

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { Aedes, type AedesPublishPacket, type Client } from "aedes";
import { type Log, PluginError, PluginUnavailable } from "gantry";
import type { Broker, Sent } from "./broker.ts";
import { decodePayload, fingerprintOf } from "./payloads.ts";
import type { RetainedMessages } from "./retained.ts";
import type { Message } from "./service.ts";
import type { Subscriptions } from "./subscriptions.ts";
import { matches, splitShared } from "./topics.ts";

export interface EmbeddedOptions {
  port: number;
  username: string | undefined;
  password: string | undefined;
  subscriptions: Subscriptions;
  retained: RetainedMessages;
  log: Log;
}

/** When, and how often, it is said that a listener holds messages up. */
const slowAfterMs = 10_000;

export class EmbeddedBroker implements Broker {
  readonly #options: EmbeddedOptions;
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Entries of the outbox that other clients have, while listeners here have not handled them. */
  readonly #halfDone = new Set<string>();

  private constructor(options: EmbeddedOptions, aedes: Aedes, server: Server) {
    this.#options = options;
    this.#aedes = aedes;
    this.#server = server;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    aedes.authorizePublish = (client, packet, done) => this.#arrived(client, packet).then(() => done(null), done);
  }

  /** Rejects with PLUGIN_UNAVAILABLE when the port is taken. */
  static async start(options: EmbeddedOptions): Promise<EmbeddedBroker> {
    const { port, username, password, retained, log, subscriptions } = options;
    const aedes = await Aedes.createBroker({
      id: "gantry",
      authenticate: (_client, user, pass, done) => {
        const good = username === undefined || (user === username && pass?.toString() === password);
        done(good ? null : Object.assign(new Error("wrong user or password"), { returnCode: 4 }), good);
      },
    });
    await retained.restore();
    for (const { topic, payload, qos } of retained.all()) await publishTo(aedes, { topic, payload, qos, retain: true });
    const server = createServer({ noDelay: true }, (socket) => void aedes.handle(socket));
    const broker = new EmbeddedBroker(options, aedes, server);
    try {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    } catch (cause) {
      await closeAedes(aedes);
      const remedy = "Another broker may run there: use its URL as `broker`, or give the embedded one another `port`.";
      throw new PluginUnavailable(
        `the embedded broker cannot listen on port ${port}: ${(cause as Error).message}`,
        remedy,
        { cause },
      );
    }
    const { port: listening } = server.address() as { port: number };
    log.info(`the embedded broker listens on 127.0.0.1:${listening}`, { port: listening });
    subscriptions.connectTo({ added: (filter) => broker.#added(filter), removed: () => {} });
    return broker;
  }

  async publish({ topic, payload, qos, retain, repeatKey }: Sent): Promise<void> {
    const { retained, subscriptions } = this.#options;
    const again = repeatKey !== undefined && this.#halfDone.has(repeatKey);
    if (retain && !again) await retained.take({ topic, payload, qos });
    // An entry of the outbox is sent again when a crash kept it from being removed.
    const delivery =
      repeatKey === undefined
        ? {}
        : { delivery: { key: repeatKey, fingerprint: fingerprintOf(topic, payload), redelivered: true } };
    const handled = subscriptions.deliver({ topic, qos, retain: false, ...decodePayload(payload), ...delivery });
    const sent = again ? undefined : publishTo(this.#aedes, { topic, payload, qos, retain });
    if (repeatKey !== undefined) this.#halfDone.add(repeatKey);
    const complaint = setInterval(() => {
      const facts = { topic, code: "MQTT_LISTENER_SLOW" };
      this.#options.log.warn("a listener of this host has not handled a message yet; what follows it waits", facts);
    }, slowAfterMs);
    await Promise.all([sent, handled]).finally(() => clearInterval(complaint));
    if (repeatKey !== undefined) this.#halfDone.delete(repeatKey);
  }

  async connected(): Promise<void> {}

  onConnection(listener: (connected: boolean) => void): () => void {
    listener(true);
    return () => {};
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closeAedes(this.#aedes);
  }

  /** A message of another client (or its will); aedes acknowledges it when this resolves, and drops the client else. */
  async #arrived(
    client: Client | null,
    packet: AedesPublishPacket | Parameters<Aedes["authorizePublish"]>[1],
  ): Promise<void> {
    const { subscriptions, retained } = this.#options;
    const { topic, qos, retain = false, dup = false, messageId } = packet as AedesPublishPacket;
    const payload = Buffer.from(packet.payload ?? "");
    if (topic.startsWith("$SYS/")) throw new PluginError("MQTT_TOPIC_INVALID", "$SYS/ belongs to the broker");
    if (retain) await retained.take({ topic, payload, qos: qos === 0 ? 0 : 1 });
    const message: Message = { topic, qos: qos === 0 ? 0 : 1, retain: false, ...decodePayload(payload) };
    const handled = subscriptions.deliver(
      qos === 0 || client === null || messageId === undefined
        ? message
        : {
            ...message,
            delivery: {
              key: `${client.id}/${messageId}`,
              fingerprint: fingerprintOf(topic, payload),
              redelivered: dup,
            },
          },
    );
    if (qos > 0) await handled;
    else handled.catch((error) => this.#options.log.debug("a message is not handled", { err: error }));
  }

  async #added(filter: string): Promise<void> {
    const { subscriptions, retained, log } = this.#options;
    if (splitShared(filter).group !== undefined)
      throw new PluginError("MQTT_SHARED_UNSUPPORTED", `the embedded broker has no shared subscriptions: ${filter}`);
    log.info(`subscribed to ${filter}`);
    for (const { topic, payload, qos } of retained.all().filter((message) => matches(filter, message.topic)))
      subscriptions
        .deliver({ topic, qos, retain: true, ...decodePayload(payload) })
        .catch((error) => log.debug("a retained message is not handled", { err: error }));
  }
}

function publishTo(
  aedes: Aedes,
  { topic, payload, qos, retain }: Pick<Sent, "topic" | "payload" | "qos" | "retain">,
): Promise<void> {
  return new Promise((resolve, reject) => {
    aedes.publish({ cmd: "publish", topic, payload, qos, retain, dup: false }, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

function closeAedes(aedes: Aedes): Promise<void> {
  return new Promise((resolve) => aedes.close(() => resolve()));
}
