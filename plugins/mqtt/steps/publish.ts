import type { Json, Step } from "gantry";
import type { OutboxDrain } from "../outbox-drain.ts";
import { encodePayload } from "../payloads.ts";
import type { PublishInput, PublishOutput } from "../plugin.types.ts";
import type { Mqtt } from "../service.ts";
import { checkTopic } from "../topics.ts";

export function publish(mqtt: Mqtt, outbox: OutboxDrain): Step<PublishInput, PublishOutput> {
  return {
    plan: ({ topic }) => `sends a message to ${topic}`,
    async run({ topic, payload, qos, retain }, { idempotencyKey }) {
      checkTopic(topic);
      // What cannot be sent is refused here, not over and over behind the outbox.
      encodePayload(payload as Json);
      const message = { topic, payload: payload as Json, qos, retain };
      if (qos === 0) await mqtt.publish(message);
      else await outbox.put(message, idempotencyKey);
      return {};
    },
  };
}
