// Commands on their way from MQTT to those who take them. Whatever comes is taken, answered, or logged.

import { type Log, PluginError } from "gantry";
import type { Message } from "../mqtt/service.ts";
import { answerEntry, fill, parameterInvalid, type Reply, type Result, type Rules } from "./answers.ts";
import { readCommandHeaders } from "./command-headers.ts";
import { answerTopic, type CommandTopic, parseCommandTopic } from "./command-topics.ts";
import { type Envelope, type Known, readEnvelope } from "./envelope.ts";
import type { FormPairs } from "./form-pairs.ts";
import type { Handlers } from "./handlers.ts";
import type { DeviceIdentities } from "./identity.ts";
import type { KnownFeatures } from "./known-features.ts";
import type { Lanes } from "./lanes.ts";
import { mapMemberNames } from "./member-names.ts";
import type { Responses } from "./responses.ts";
import type { FeatureAddress, Identity, Refusal } from "./service.ts";
import { topicOf } from "./thing-id.ts";
import type { Waiting } from "./waiting.ts";

export interface CommandsOptions {
  identities: DeviceIdentities;
  handlers: Handlers;
  known: KnownFeatures;
  lanes: Lanes;
  pairs: FormPairs;
  responses: Responses;
  waiting: Waiting;
  log: Log;
  maxPayloadBytes: number;
}

/** A command for a feature of this host, before its headers have been looked at. */
interface Addressed {
  topic: CommandTopic;
  message: Message;
  envelope: Envelope;
  address: FeatureAddress;
  operation: string;
}

const refusedCode = "THINGS_COMMAND_REFUSED";

export class Commands {
  readonly #options: CommandsOptions;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** The listener for all topics of commands: resolves when the message is taken care of, rejects when it may come again. */
  receive = async (message: Message): Promise<void> => {
    const { identities, pairs, waiting, log, maxPayloadBytes } = this.#options;
    const topic = parseCommandTopic(message.topic);
    if (topic === undefined) return;
    waiting.throwIfClosed();
    const isKnown = () => identities.current !== undefined;
    if (!isKnown() && !(await waiting.until(isKnown, message))) return;
    // What is too large is not even looked at.
    if (sizeOf(message) <= maxPayloadBytes && pairs.isSecond(topic, message)) {
      log.debug("a command has come in the other form of its topic already", { topic: message.topic });
      return;
    }
    const kept = message.qos === 1 ? pairs.keep() : undefined;
    await this.#take(topic, message, identities.current!);
    await kept;
  };

  /** Resolves once the answer is durable; null is a command that wants none. */
  async answer(reply: Reply | null, result: Result, key?: string): Promise<void> {
    if (reply === null) return;
    const { lanes } = this.#options;
    const lane = reply.feature === null ? lanes.general : lanes.of(reply.feature);
    await lane.put(answerEntry(reply, result), { key });
  }

  async #take(topic: CommandTopic, message: Message, identity: Identity): Promise<void> {
    const { responses, known, log } = this.#options;
    let envelope: Envelope;
    try {
      this.#checkSize(message);
      envelope = readEnvelope(message.payload);
    } catch (error) {
      return this.#refuseMalformed(topic, message, identity, error as PluginError);
    }
    if (responses.take(envelope)) return;
    const thing = topic.device === "" ? identity.deviceId : topic.device;
    const [, feature, operation] = /^\/features\/([^/]+)\/inbox\/messages\/(.+)$/s.exec(envelope.path) ?? [];
    if (envelope.thing !== thing || feature === undefined || operation === undefined) {
      log.debug("a message is no command for a feature of this device", { topic: message.topic });
      return;
    }
    const address = known.find(thing, feature, identity);
    if (address === undefined)
      return this.#refuseFeature(topic, envelope, feature, known.unknownFeature(thing, identity));
    await this.#dispatch({ topic, message, envelope, address, operation });
  }

  async #dispatch({ topic, message, envelope, address, operation }: Addressed): Promise<void> {
    const { handlers, known, waiting, log } = this.#options;
    const isClear = () => handlers.of(address, operation).length > 0 || !handlers.isAwaited(address, operation);
    if (!isClear() && !(await waiting.until(isClear, message))) return;
    const taking = handlers.of(address, operation);
    const rules = known.rules(address, taking[0]);
    const refused = (why: string) =>
      log.warn(`a command is refused: ${why}`, {
        code: refusedCode,
        feature: address.feature,
        operation: operation.slice(0, 200),
        topic: message.topic,
      });
    if (topic.requestId === "" && rules.withoutRequestId === "drop") return refused("it has no request id");
    const { headers, responseRequired, correlationId, problem, onRequestPath } = readCommandHeaders(envelope, rules);
    const path = onRequestPath ? envelope.path : outboxPath(envelope.path);
    const reply = responseRequired
      ? replyOf(topic, { topic: envelope.topic, path, correlationId }, address, rules)
      : null;
    if (problem !== undefined) {
      refused(problem);
      return this.answer(reply, parameterInvalid(problem));
    }
    if (taking.length === 0) {
      refused("nobody takes its operation");
      const refusal = known.unknownOperation(address);
      if (refusal !== undefined) await this.answer(reply, filled(refusal, { operation, feature: address.feature }));
      return;
    }
    const command = {
      thing: envelope.thing,
      feature: address.feature,
      operation,
      requestId: topic.requestId,
      correlationId,
      headers,
      topic: message.topic,
      ...(message.delivery === undefined ? {} : { delivery: message.delivery }),
    };
    // One command has one answer, whoever else hears of it.
    await Promise.all(
      taking.map((handler, index) => {
        const value = mapMemberNames(envelope.value ?? {}, handler.schema);
        return handler.handle({ ...command, value, reply: index === 0 ? (reply as never) : null });
      }),
    );
  }

  async #refuseFeature(
    topic: CommandTopic,
    envelope: Envelope,
    feature: string,
    said: ReturnType<KnownFeatures["unknownFeature"]>,
  ): Promise<void> {
    this.#options.log.debug("a command is for a feature that is not here", { feature: feature.slice(0, 200) });
    if (said === undefined || topic.requestId === "") return;
    const { responseRequired, correlationId } = readCommandHeaders(envelope, said.rules);
    if (!responseRequired) return;
    const about = { topic: envelope.topic, path: envelope.path, correlationId };
    await this.answer(replyOf(topic, about, null, said.rules), filled(said.refusal, { feature }));
  }

  async #refuseMalformed(topic: CommandTopic, message: Message, identity: Identity, error: PluginError): Promise<void> {
    this.#options.log.warn(`a command is refused: ${error.message}`, { code: error.code, topic: message.topic });
    if (topic.requestId === "") return;
    const known = (error.details ?? {}) as Known;
    const thing = topic.device === "" ? identity.deviceId : topic.device;
    const about = {
      topic: known.topic ?? `${topicOf(thing)}/things/live/messages/${topic.subject}`,
      path: known.path === undefined ? "/" : outboxPath(known.path),
      correlationId: known.correlationId ?? "",
    };
    const rules = { contentType: "with-value", responseRequired: true } as const;
    await this.answer(replyOf(topic, about, null, rules), parameterInvalid(error.message));
  }

  #checkSize(message: Message): void {
    const { maxPayloadBytes } = this.#options;
    const size = sizeOf(message);
    if (size <= maxPayloadBytes) return;
    const text = `the payload has ${size} bytes, and at most ${maxPayloadBytes} are accepted`;
    throw new PluginError("THINGS_PAYLOAD_TOO_LARGE", text);
  }
}

const sizeOf = ({ payload, payloadBase64 = "" }: Message) =>
  payload === undefined ? Buffer.byteLength(payloadBase64, "base64") : Buffer.byteLength(payload);

const outboxPath = (path: string) => path.replace("/inbox/", "/outbox/");

function replyOf(
  topic: CommandTopic,
  about: Pick<Reply, "topic" | "path" | "correlationId">,
  feature: FeatureAddress | null,
  { contentType, responseRequired }: Pick<Rules, "contentType" | "responseRequired">,
): Reply {
  return { feature, mqttTopic: answerTopic(topic), ...about, contentType, responseRequired };
}

function filled(refusal: Refusal, values: Record<string, string>): Refusal {
  return { ...refusal, message: fill(refusal.message, values) };
}
