import { definePlugin } from "gantry";
import type { Mqtt } from "../mqtt/service.ts";
import type { Reply, Result } from "./answers.ts";
import { CommandSubscriptions } from "./command-subscriptions.ts";
import { Commands } from "./commands.ts";
import { checkAddress } from "./feature-address.ts";
import { Features } from "./features.ts";
import { FormPairs } from "./form-pairs.ts";
import { Handlers } from "./handlers.ts";
import { DeviceIdentities, requestTopic, responseTopic } from "./identity.ts";
import { KnownFeatures } from "./known-features.ts";
import { Lanes } from "./lanes.ts";
import type { Config } from "./plugin.types.ts";
import { Responses } from "./responses.ts";
import type { Things } from "./service.ts";
import { report } from "./steps/report.ts";
import { request } from "./steps/request.ts";
import { command } from "./triggers/command.ts";
import { Waiting } from "./waiting.ts";

export default definePlugin<Config, { mqtt: Mqtt }>({
  async setup({ config, services: { mqtt }, log, device, keyValue, outbox }) {
    const { maxPayloadBytes, maxMessages, mergeAbove, shortTopics } = config;
    const identities = new DeviceIdentities(keyValue, log);
    const handlers = new Handlers(keyValue, log);
    const pairs = new FormPairs(keyValue, log);
    const responses = new Responses();
    const lanes = new Lanes({ mqtt, identities, outbox, keyValue, log, maxMessages, mergeAbove });
    const features = new Features(lanes, identities);
    const known = new KnownFeatures(features.registrations, handlers);
    const waiting = new Waiting(log);
    const commands = new Commands({
      identities,
      handlers,
      known,
      lanes,
      pairs,
      responses,
      waiting,
      log,
      maxPayloadBytes,
    });
    identities.onChange(waiting.lookAgain);
    handlers.onChange(waiting.lookAgain);
    await Promise.all([identities.open(device), handlers.open(), pairs.open()]);
    await lanes.open();

    const subscriptions = new CommandSubscriptions(mqtt, commands.receive, { short: shortTopics }, log);
    const subscribe = () => {
      const own = identities.probable;
      return subscriptions.set([
        "",
        ...(own === undefined ? [] : [own.deviceId]),
        ...features.otherThings(handlers.all()),
      ]);
    };
    identities.onChange(() => void subscribe());
    features.onChange(() => void subscribe());
    handlers.onChange(() => void subscribe());
    await subscribe();

    const send = (topic: string, payload: string | null) =>
      mqtt.publish({ topic, payload, qos: 1 }).catch((error) => log.debug(`nothing sent to ${topic}`, { err: error }));
    const answerIdentity = async () => {
      if (identities.response !== undefined) await send(responseTopic, identities.response);
    };
    const stops = [
      await mqtt.subscribe({ topic: responseTopic, qos: 1 }, async ({ payload }) => identities.heard(payload)),
      await mqtt.subscribe({ topic: requestTopic, qos: 1 }, async () => void answerIdentity()),
      await mqtt.connections({ losses: true }, async ({ connected }) => {
        lanes.connectionChanged(connected);
        if (connected) await send(requestTopic, null);
      }),
    ];

    const things: Things = {
      register: (registration) => features.register(registration),
      unregister: (address) => features.unregister(address),
      report: (reported) => features.report(reported),
      send: (message) => features.send(message),
      answer: async ({ to, status, value = null, error, message = "", key }) => {
        const result: Result = error === undefined ? { status, value } : { status, error, message };
        await commands.answer(to as unknown as Reply | null, result, key);
      },
      identity: async () => identities.current ?? null,
      async provideIdentity(identity) {
        identities.provide(identity);
        await answerIdentity();
      },
      async identities(_options, listener) {
        const tell = (identity: Parameters<typeof listener>[0]) =>
          void listener(identity).catch((error) => log.warn("a listener fails at an identity", { err: error }));
        if (identities.current !== undefined) tell(identities.current);
        return identities.onChange(tell);
      },
      async commands({ thing, feature, operations, schema, ...rules }, listener) {
        const address = { ...(thing === undefined ? {} : { thing }), feature };
        checkAddress(address);
        return handlers.add({ ...address, operations, schema, rules, handle: listener });
      },
    };
    return {
      services: { things: { ...things } },
      steps: { report: report(things), request: request(things, responses) },
      triggers: { command: command({ features, handlers, commands }) },
      async stop() {
        waiting.close();
        handlers.close();
        for (const stop of stops) await stop();
        await lanes.stop();
      },
    };
  },
});
