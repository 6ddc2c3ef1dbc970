import { randomBytes } from "node:crypto";
import { definePlugin, type PluginContext, PluginError } from "gantry";
import type { Broker } from "./broker.ts";
import { connectionOptions } from "./connection-options.ts";
import { EmbeddedBroker } from "./embedded-broker.ts";
import { OutboxDrain } from "./outbox-drain.ts";
import { encodePayload } from "./payloads.ts";
import type { Config } from "./plugin.types.ts";
import { RetainedMessages } from "./retained.ts";
import type { Mqtt } from "./service.ts";
import { publish } from "./steps/publish.ts";
import { request } from "./steps/request.ts";
import { Subscriptions } from "./subscriptions.ts";
import { checkFilter, checkTopic } from "./topics.ts";
import { message } from "./triggers/message.ts";

export default definePlugin<Config>({
  async setup(context) {
    const { config, keyValue, log, outbox } = context;
    const subscriptions = new Subscriptions(keyValue, log);
    await subscriptions.restore();
    const broker = await openBroker(context, subscriptions).catch((error: unknown) => {
      // Another setup follows; this one's list must not be written over its.
      subscriptions.close();
      throw error;
    });
    const drain = new OutboxDrain(outbox, broker, log);
    const mqtt: Mqtt = {
      async publish({ payload, qos = 1, retain = false, ...publication }) {
        checkTopic(publication.topic);
        await broker.publish({ ...publication, payload: encodePayload(payload), qos, retain });
      },
      async subscribe({ topic, qos = 1, temporary = false }, listener) {
        checkFilter(topic);
        return subscriptions.add(topic, qos, listener, temporary);
      },
      async connections({ losses = false }, listener) {
        return broker.onConnection((connected) => {
          if (!connected && !losses) return;
          listener({ connected }).catch((error) => log.warn("a listener fails at a connection", { err: error }));
        });
      },
    };
    return {
      services: { mqtt: { publish: mqtt.publish, subscribe: mqtt.subscribe, connections: mqtt.connections } },
      steps: { publish: publish(mqtt, drain), request: request(mqtt, broker) },
      triggers: { message: message(mqtt, config.maxPayloadBytes) },
      async stop() {
        subscriptions.close();
        await drain.stop();
        await broker.close();
      },
    };
  },
});

async function openBroker(
  { config, keyValue, log, secret }: PluginContext<Config>,
  subscriptions: Subscriptions,
): Promise<Broker> {
  const password =
    config.password === undefined
      ? undefined
      : typeof config.password === "string"
        ? config.password
        : await secret("password");
  const { broker: url, port, username, protocolVersion, window } = config;
  if (url === "embedded") {
    if (protocolVersion === 5)
      throw new PluginError("MQTT_PROTOCOL_UNSUPPORTED", "the embedded broker does not speak MQTT 5");
    return EmbeddedBroker.start({
      port,
      username,
      password,
      subscriptions,
      retained: new RetainedMessages(keyValue, log),
      log,
    });
  }
  const clientId = config.clientId ?? (await ownClientId(keyValue));
  // Only a host with a broker elsewhere loads the client.
  const { ExternalBroker } = await import("./external-broker.ts");
  return new ExternalBroker({
    url,
    connection: connectionOptions(config, clientId, password),
    window,
    subscriptions,
    log,
  });
}

/** Made once: the broker keeps messages for this name while the host is down. */
async function ownClientId(keyValue: PluginContext["keyValue"]): Promise<string> {
  const kept = await keyValue.get("clientId");
  if (typeof kept === "string") return kept;
  const made = `gantry-${randomBytes(8).toString("hex")}`;
  await keyValue.set("clientId", made);
  return made;
}
