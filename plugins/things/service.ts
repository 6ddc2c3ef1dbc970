// The service `things`, as other plugins see it (`import type` only).

import type { Json, JsonObject, Stop } from "gantry";

/** Who the device is at its hub. `deviceId` is `namespace:name`; the others may be empty. */
export interface Identity {
  deviceId: string;
  tenantId: string;
  policyId: string;
}

/**
 * Which feature of which thing. `thing` is left out for the device itself; `{deviceId}` in it stands for the device's
 * id at any time, as in `{deviceId}:edge:containers`.
 */
export interface FeatureAddress {
  thing?: string;
  feature: string;
}

/** The answer to a command that is refused; `{operation}` and `{feature}` in the message are replaced. */
export interface Refusal {
  status: number;
  /** Such as `messages:parameter.invalid`. */
  error: string;
  message: string;
}

/** What daemons of Eclipse Kanto do differently with commands and answers. The defaults are those of software update. */
export interface AnswerRules {
  /** What becomes of a command whose MQTT topic has no request id. Default `drop`. */
  withoutRequestId?: "drop" | "run";
  /** What becomes of a command whose envelope has no `headers`: answered 400, or run without an answer. Default `refuse`. */
  withoutHeaders?: "refuse" | "run";
  /** Whether a command must have a correlation id, and the content type of JSON exactly if it has a value. Default false. */
  checkHeaders?: boolean;
  /** Which answers carry `"content-type": "application/json"`. Default `with-value`. */
  contentType?: "with-value" | "always";
  /** Whether answers carry `"response-required": false`. Default true. */
  responseRequired?: boolean;
  /** The message of a 400 for a value that does not fit: `{reason}`, `{operation}`, `{payload}`. Default `{reason}`. */
  invalidInput?: string;
}

export interface Registration extends FeatureAddress, AnswerRules {
  definition?: string[];
  /** Its properties at first; what is reported later is put over them. */
  properties?: JsonObject;
  /** The answer to an operation that nobody has taken on; null (default) is silence. */
  unknownOperation?: Refusal | null;
  /** The answer to commands for features that its thing does not have; null (default) is silence. */
  unknownFeature?: Refusal | null;
}

/** A changed property on its way to the twin. */
export interface Report extends FeatureAddress {
  /** Below the feature's properties, with slashes; `~1` is a slash in a name, `~0` a tilde. Empty: all properties. */
  path: string;
  /** null leaves the envelope's `value` out, unless `sendNull` says otherwise. */
  value: Json;
  sendNull?: boolean;
  /** Further headers of the envelope. */
  headers?: JsonObject;
  /** A value on the way to another one: while the lane is long, only the last of these is kept for each path. */
  intermediate?: boolean;
}

/** A message from the feature's outbox. */
export interface OutboxMessage extends FeatureAddress {
  subject: string;
  /** null: no value. */
  value: Json;
  correlationId?: string;
  /** Default false. */
  responseRequired?: boolean;
  /** Adds the header `reply-to` with the tenant's commands. */
  replyTo?: boolean;
  headers?: JsonObject;
  /**
   * Waits while very many messages of the feature wait for the broker (`mergeAbove`), so that sending a great many takes
   * no room from others. Default false: taken at once, and the oldest are dropped where there are too many.
   */
  waitForRoom?: boolean;
}

/** Which commands to hear of. */
export interface CommandFilter extends FeatureAddress, AnswerRules {
  /** Left out: all. */
  operations?: string[];
  /** JSON Schema to whose member names those of the value are mapped, whatever their case. */
  schema?: JsonObject;
}

export interface Command {
  /** The thing's id as it was in the command. */
  thing: string;
  feature: string;
  operation: string;
  /** Empty where the topic has none. */
  requestId: string;
  /** Empty where the headers have none. */
  correlationId: string;
  headers: JsonObject;
  /** `{}` where the command has none. */
  value: Json;
  /** The MQTT topic. */
  topic: string;
  /** Where the answer goes, for `answer`; null where none is wanted. */
  reply: Json;
  /** Tells deliveries of the same command apart, as an emission's `delivery`. */
  delivery?: { key: string; fingerprint: string; redelivered: boolean };
}

export interface Answer {
  /** The command's `reply`; nothing is sent where it is null. */
  to: Json;
  status: number;
  /** Left out or null: none. For a refusal use `error` and `message`. */
  value?: Json;
  error?: string;
  message?: string;
  /** An answer under a key that has been used is dropped. */
  key?: string;
}

/** The service `things`. All methods that send resolve once what they send is durable; it leaves in order. */
export interface Things {
  /**
   * Announces a feature, now and after each reconnect and change of identity, with its last reported values; replaces an
   * earlier registration. Rejects with THINGS_FEATURE_INVALID.
   */
  register(registration: Registration): Promise<void>;
  /** No longer announces a feature; with `remove` it is also deleted from the twin. */
  unregister(feature: FeatureAddress & { remove?: boolean }): Promise<void>;
  /** `key` (an attempt's `idempotencyKey`): a report under a key that has been used is dropped. */
  report(report: Report & { key?: string }): Promise<void>;
  send(message: OutboxMessage & { key?: string }): Promise<void>;
  answer(answer: Answer): Promise<void>;
  /** null until the device has one. */
  identity(): Promise<Identity | null>;
  /** For a connector in this host: from now on this is answered to `edge/thing/request`; null: nothing is answered. */
  provideIdentity(identity: Identity | null): Promise<void>;
  /** The identity of now, and each new one. */
  identities(options: Record<never, never>, listener: (identity: Identity) => Promise<void>): Promise<Stop>;
  /**
   * Commands for a feature, acknowledged by the listener's promise. A feature with a listener need not be registered;
   * then it is not announced.
   */
  commands(filter: CommandFilter, listener: (command: Command) => Promise<void>): Promise<Stop>;
}
