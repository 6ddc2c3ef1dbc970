import type { Publication } from "./service.ts";

/** What a message carries that was taken from the outbox: the same each time it is sent. */
export interface Sent extends Required<Pick<Publication, "topic" | "qos" | "retain">> {
  payload: Buffer;
  responseTopic?: string;
  correlationData?: string;
  /** Recognised by in-process listeners when it is sent again after a crash. */
  repeatKey?: string;
}

/** A broker as the rest of the plugin sees it, wherever it runs. */
export interface Broker {
  /** Rejects with MQTT_OFFLINE (QoS 0) or MQTT_REFUSED. */
  publish(message: Sent): Promise<void>;
  /** Resolves when there is a connection, and what is subscribed to has been asked for; rejects when aborted. */
  connected(signal: AbortSignal): Promise<void>;
  /**
   * Called with true for each connection, when what is subscribed to has been asked for, at once where there is one now;
   * with false when it is lost.
   */
  onConnection(listener: (connected: boolean) => void): () => void;
  close(): Promise<void>;
}
