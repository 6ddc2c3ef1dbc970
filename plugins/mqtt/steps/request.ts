import { randomUUID } from "node:crypto";
import { type Json, PluginError, parseDuration, type Step } from "gantry";
import type { RequestInput, RequestOutput } from "../plugin.types.ts";
import type { Message, Mqtt } from "../service.ts";
import { checkTopic } from "../topics.ts";

export function request(mqtt: Mqtt): Step<RequestInput, RequestOutput> {
  return {
    plan: ({ topic }) => `sends a message to ${topic} and waits for its answer`,
    async run({ topic, payload, responseTopic, timeout }, { signal }) {
      checkTopic(topic);
      const correlationData = randomUUID();
      const answerTopic = responseTopic ?? `gantry/response/${correlationData}`;
      const { promise: answer, resolve, reject } = Promise.withResolvers<Message>();
      // Nobody may be waiting yet when it rejects.
      answer.catch(() => {});
      const stop = await mqtt.subscribe({ topic: answerTopic, qos: 1, temporary: true }, async (message) =>
        resolve(message),
      );
      const timer = setTimeout(
        () => reject(new PluginError("MQTT_REQUEST_TIMEOUT", `no answer on ${answerTopic} within ${timeout}`)),
        parseDuration(timeout)!,
      );
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      try {
        await Promise.race([
          mqtt.publish({ topic, payload: payload as Json, qos: 1, responseTopic: answerTopic, correlationData }),
          answer,
        ]);
        return { payload: parseAnswer(await answer) as RequestOutput["payload"] };
      } finally {
        clearTimeout(timer);
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
