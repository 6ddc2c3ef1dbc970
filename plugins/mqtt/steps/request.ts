import { randomUUID } from "node:crypto";
import { type Json, PluginError, parseDuration, type Step } from "gantry";
import type { Broker } from "../broker.ts";
import { encodePayload } from "../payloads.ts";
import type { RequestInput, RequestOutput } from "../plugin.types.ts";
import type { Message, Mqtt } from "../service.ts";
import { checkTopic } from "../topics.ts";

export function request(mqtt: Mqtt, broker: Pick<Broker, "connected">): Step<RequestInput, RequestOutput> {
  return {
    plan: ({ topic }) => `sends a message to ${topic} and waits for its answer`,
    async run({ topic, payload, responseTopic, timeout }, { signal }) {
      checkTopic(topic);
      encodePayload(payload as Json);
      const correlationData = randomUUID();
      const answerTopic = responseTopic ?? `gantry/response/${correlationData}`;
      const { promise: answer, resolve, reject } = Promise.withResolvers<Message>();
      // Nobody may be waiting yet when it rejects.
      answer.catch(() => {});
      let asked = false;
      const stop = await mqtt.subscribe({ topic: answerTopic, qos: 1, temporary: true }, async (message) => {
        // What the broker has kept, or had on its way, answered an earlier question; other data, somebody else's.
        const foreign = message.correlationData !== undefined && message.correlationData !== correlationData;
        if (asked && !message.retain && !foreign) resolve(message);
      });
      const waiting = new AbortController();
      const timer = setTimeout(
        () => reject(new PluginError("MQTT_REQUEST_TIMEOUT", `no answer on ${answerTopic} within ${timeout}`)),
        parseDuration(timeout)!,
      );
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      try {
        // Queued without a connection, the question would still be asked when nobody waits for its answer any more.
        await Promise.race([broker.connected(waiting.signal), answer]);
        asked = true;
        await Promise.race([
          mqtt.publish({ topic, payload: payload as Json, qos: 1, responseTopic: answerTopic, correlationData }),
          answer,
        ]);
        return { payload: parseAnswer(await answer) as RequestOutput["payload"] };
      } finally {
        clearTimeout(timer);
        waiting.abort();
        signal.removeEventListener("abort", onAbort);
        await stop();
      }
    },
  };
}

/** The answer's JSON, or what it is where it is none. */
function parseAnswer({ payload, payloadBase64 }: Message): Json {
  if (payload === undefined) return { $base64: payloadBase64! };
  try {
    return JSON.parse(payload) as Json;
  } catch {
    return payload;
  }
}
