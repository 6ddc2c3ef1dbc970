import { type Emission, type Emit, type Json, type Log, PluginError, type Trigger } from "gantry";
import type { MessageOptions } from "../plugin.types.ts";
import type { Message, Mqtt } from "../service.ts";

/** Between attempts to hand over a message that the host cannot take now. */
const retryDelayMs = { first: 100, longest: 10_000 };

export function message(mqtt: Mqtt, maxPayloadBytes: number): Trigger<MessageOptions> {
  return {
    async start({ topic, qos }, emit, { log }) {
      const stopping = new AbortController();
      const stop = await mqtt.subscribe({ topic, qos }, (arrived) =>
        handle(arrived, maxPayloadBytes, emit, log, stopping.signal),
      );
      return async () => {
        stopping.abort();
        await stop();
      };
    },
  };
}

/** Resolves when the message is a durable run, or never will be one; rejects when the trigger stops before. */
async function handle(
  arrived: Message,
  maxPayloadBytes: number,
  emit: Emit,
  log: Log,
  stopping: AbortSignal,
): Promise<void> {
  for (let delayMs = retryDelayMs.first; ; delayMs = Math.min(delayMs * 2, retryDelayMs.longest)) {
    try {
      await emit(emissionOf(arrived, maxPayloadBytes));
      return;
    } catch (error) {
      const { code, message: text, retryable, remedy } = error as PluginError & { remedy?: string };
      if (stopping.aborted || code === "HOST_STOPPING") throw error;
      const facts = { code, topic: arrived.topic, ...(remedy === undefined ? {} : { remedy }) };
      if (retryable !== true) {
        // It would be refused for ever; its sender hears of it here only.
        log.warn(`a message starts no run: ${text}`, facts);
        return;
      }
      log.warn(`a message cannot be taken now: ${text}`, facts);
      await pause(delayMs, stopping);
    }
  }
}

function emissionOf(
  { topic, payload, payloadBase64, qos, retain, delivery }: Message,
  maxPayloadBytes: number,
): Emission {
  const size = payload === undefined ? Buffer.byteLength(payloadBase64!, "base64") : Buffer.byteLength(payload);
  if (size > maxPayloadBytes)
    throw refused(
      "MQTT_PAYLOAD_TOO_LARGE",
      `its payload has ${size} bytes, and at most ${maxPayloadBytes} are accepted`,
    );
  const event = { topic, levels: topic.split("/"), qos, retain };
  return { input: parse(payload), event, ...(delivery === undefined ? {} : { delivery }) };
}

/** An empty payload is null. */
function parse(payload: string | undefined): Json {
  if (payload === undefined) throw refused("MQTT_PAYLOAD_INVALID", "its payload is not text in UTF-8");
  if (payload === "") return null;
  try {
    return JSON.parse(payload) as Json;
  } catch (cause) {
    throw refused("MQTT_PAYLOAD_INVALID", "its payload is not JSON", cause);
  }
}

function refused(code: keyof typeof remedies, text: string, cause?: unknown): PluginError {
  return Object.assign(new PluginError(code, text, { retryable: false, cause }), { remedy: remedies[code] });
}

const remedies = {
  MQTT_PAYLOAD_INVALID: "Send JSON text in UTF-8.",
  MQTT_PAYLOAD_TOO_LARGE:
    "Send less, for example a URL to the data, or raise the plugin's `maxPayloadBytes` in plugins.json.",
};

function pause(delayMs: number, stopping: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, delayMs);
    stopping.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new PluginError("HOST_STOPPING", "the trigger stops"));
    });
  });
}
