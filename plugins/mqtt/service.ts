import type { Json, Stop } from "gantry";

/** A message as listeners get it. */
export interface Message {
  topic: string;
  /** The payload, where it is UTF-8 text; otherwise `payloadBase64` is there. */
  payload?: string;
  payloadBase64?: string;
  qos: 0 | 1;
  /** Whether the broker had kept it from before. */
  retain: boolean;
  /** MQTT 5: what an answer repeats of its question, where that is UTF-8 text. */
  correlationData?: string;
  /** Tells deliveries apart (QoS 1): the same key and fingerprint, redelivered, is the same message once more. */
  delivery?: { key: string; fingerprint: string; redelivered: boolean };
}

export interface Publication {
  topic: string;
  /** A text is sent as it is, null as an empty payload, `{"$base64": TEXT}` as bytes, everything else as JSON. */
  payload: Json;
  /** Default 1. */
  qos?: 0 | 1;
  retain?: boolean;
  /** MQTT 5: where the other side may answer, and what it repeats in its answer. */
  responseTopic?: string;
  correlationData?: string;
}

/** The service `mqtt`. */
export interface Mqtt {
  /**
   * QoS 1: resolves once the broker has acknowledged it; while the broker is away it waits in memory (the step
   * `mqtt/publish` has a durable outbox). QoS 0: resolves once it is sent. Rejects with MQTT_TOPIC_INVALID,
   * MQTT_BASE64_INVALID, MQTT_OFFLINE (QoS 0), MQTT_REFUSED.
   */
  publish(publication: Publication): Promise<void>;
  /**
   * Messages that match a topic filter, side by side. The listener's promise acknowledges a message with QoS 1; where it
   * rejects, the broker delivers the message again at the next connection. Subscriptions come back after every
   * reconnect. Resolves once the broker knows the subscription, or at once while the broker is away. Stopping keeps the
   * subscription at the broker for a while, so that nothing is lost between two lives of a host; a temporary one is
   * ended at once. Rejects with MQTT_TOPIC_INVALID, MQTT_SHARED_UNSUPPORTED.
   */
  subscribe(
    subscription: { topic: string; qos?: 0 | 1; temporary?: boolean },
    listener: (message: Message) => Promise<void>,
  ): Promise<Stop>;
  /**
   * Calls back for each connection to the broker, once what is subscribed to has been asked for; at once where there is
   * a connection now. With `losses` it also calls back, with `connected` false, when a connection is lost.
   */
  connections(
    options: { losses?: boolean },
    listener: (change: { connected: boolean }) => Promise<void>,
  ): Promise<Stop>;
}
