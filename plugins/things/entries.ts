// What waits in a feature's lane, and the MQTT message it becomes when it leaves. The device's id is filled in only
// then: after a change of identity, what waits is for the new thing.

import type { Json, JsonObject } from "gantry";
import { writeEnvelope } from "./envelope.ts";
import type { FeatureAddress, Identity } from "./service.ts";
import { topicOf } from "./thing-id.ts";

export type Entry =
  | { kind: "modify"; path: string; value: Json; sendNull?: boolean; headers?: JsonObject }
  | { kind: "delete" }
  | {
      kind: "message";
      subject: string;
      value: Json;
      correlationId?: string;
      responseRequired: boolean;
      replyTo?: boolean;
      headers?: JsonObject;
    }
  /** Complete: it belongs to the command it answers. */
  | { kind: "answer"; topic: string; text: string };

/** A message for the broker. */
export interface Outgoing {
  topic: string;
  payload: string;
}

const json = { "content-type": "application/json" };

export function thingOf({ thing }: Pick<FeatureAddress, "thing">, { deviceId }: Identity): string {
  return thing === undefined ? deviceId : thing.replaceAll("{deviceId}", () => deviceId);
}

/** The whole feature, as it is announced. */
export function announcement(
  address: FeatureAddress,
  identity: Identity,
  definition: string[] | undefined,
  properties: Json | undefined,
): Outgoing {
  return twinCommand(address, identity, "modify", "", {
    headers: {},
    value: {
      ...(definition === undefined ? {} : { definition }),
      ...(properties === undefined ? {} : { properties }),
    },
  });
}

export function outgoing(address: FeatureAddress, identity: Identity, entry: Entry): Outgoing {
  switch (entry.kind) {
    case "answer":
      return { topic: entry.topic, payload: entry.text };
    case "delete":
      return twinCommand(address, identity, "delete", "", { headers: {} });
    case "modify": {
      const { path, value, sendNull = false, headers = {} } = entry;
      const below = path === "" ? "/properties" : `/properties/${path}`;
      return twinCommand(address, identity, "modify", below, {
        headers,
        value: value === null && !sendNull ? undefined : value,
      });
    }
    case "message":
      return message(address, identity, entry);
  }
}

function twinCommand(
  address: FeatureAddress,
  identity: Identity,
  action: "modify" | "delete",
  below: string,
  { headers, value }: { headers: JsonObject; value?: Json | undefined },
): Outgoing {
  const thing = thingOf(address, identity);
  const payload = writeEnvelope({
    topic: `${topicOf(thing)}/things/twin/commands/${action}`,
    headers: { "response-required": false, ...headers },
    path: `/features/${address.feature}${below}`,
    value,
  });
  return { topic: eventTopic(address, identity), payload };
}

function message(address: FeatureAddress, identity: Identity, entry: Extract<Entry, { kind: "message" }>): Outgoing {
  const { subject, value, correlationId, responseRequired, replyTo = false, headers = {} } = entry;
  const payload = writeEnvelope({
    topic: `${topicOf(thingOf(address, identity))}/things/live/messages/${subject}`,
    headers: {
      ...json,
      ...(correlationId === undefined ? {} : { "correlation-id": correlationId }),
      ...(replyTo ? { "reply-to": `command/${identity.tenantId}` } : {}),
      "response-required": responseRequired,
      ...headers,
    },
    path: `/features/${address.feature}/outbox/messages/${subject}`,
    value: value === null ? undefined : value,
  });
  return { topic: eventTopic(address, identity), payload };
}

/** The device's own events go to `e`; those of another thing name tenant and thing. */
function eventTopic({ thing }: FeatureAddress, identity: Identity): string {
  return thing === undefined ? "e" : `e/${identity.tenantId}/${thingOf({ thing }, identity)}`;
}
