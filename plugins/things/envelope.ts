// Ditto's envelope: how it is read from messages of anybody, and how it is written.

import { type Json, type JsonObject, PluginError } from "gantry";

/** A command, event or response as it came, with what must be there in place. */
export interface Envelope {
  topic: string;
  /** The thing that the topic names. */
  thing: string;
  path: string;
  /** As it came; anything, also undefined. */
  headers: Json | undefined;
  value: Json | undefined;
  status: Json | undefined;
}

/** Deeper ones are refused: what works on values goes down into them and has no endless stack. */
const maxDepth = 100;

/** Reads an envelope; throws THINGS_ENVELOPE_INVALID with what of it could be read in `details`. */
export function readEnvelope(text: string | undefined): Envelope {
  if (text === undefined) throw invalid("the payload is not text in UTF-8");
  let read: Json;
  try {
    read = JSON.parse(text) as Json;
  } catch (cause) {
    throw invalid("the payload is not JSON", undefined, cause);
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) throw invalid("the payload is no JSON object");
  const { topic, path, headers, value, status } = membersOf(read);
  if (typeof topic !== "string") throw invalid("the envelope has no topic", { path, headers });
  const thing = thingOf(topic);
  if (thing === undefined) throw invalid("the topic of the envelope is none", { topic, path, headers });
  if (typeof path !== "string") throw invalid("the envelope has no path", { topic, headers });
  checkSize(read, { topic, path, headers });
  return { topic, thing, path, headers, value, status };
}

/** The envelope's own members, whatever the case of their names; of two spellings the last one counts. */
function membersOf(read: JsonObject): Record<string, Json | undefined> {
  return Object.fromEntries(Object.entries(read).map(([name, value]) => [name.toLowerCase(), value]));
}

/** `namespace/name/things/channel/criterion/action`: the thing is the first two. */
function thingOf(topic: string): string | undefined {
  const [namespace, name, group, ...rest] = topic.split("/");
  const isTopic = name !== undefined && name !== "" && (group === "things" || group === "policies") && rest.length >= 2;
  return isTopic ? `${namespace}:${name}` : undefined;
}

/** Without recursion. Numbers that are too large for a double are read as infinite, which JSON cannot hold. */
function checkSize(value: Json, known: Partial<Record<string, Json | undefined>>): void {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) throw invalid(`the envelope is nested more than ${maxDepth} deep`, known);
    if (level.some((item) => typeof item === "number" && !Number.isFinite(item)))
      throw invalid("the envelope holds a number that is too large", known);
    level = level.flatMap((item) => (typeof item === "object" && item !== null ? Object.values(item) : []));
  }
}

/** What a failed reading knows of the message nevertheless. */
export interface Known {
  topic?: string;
  path?: string;
  correlationId?: string;
}

function invalid(text: string, known: Partial<Record<string, Json | undefined>> = {}, cause?: unknown): PluginError {
  const { topic, path, headers } = known;
  const correlationId = headerOf(headers, "correlation-id");
  const details = Object.fromEntries(
    Object.entries({ topic, path, correlationId }).filter(([, value]) => typeof value === "string"),
  ) as JsonObject;
  return new PluginError("THINGS_ENVELOPE_INVALID", text, { details, cause });
}

/** A header, whatever the case of its name; undefined for all that is none. */
export function headerOf(headers: Json | undefined, name: string): Json | undefined {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) return undefined;
  return Object.entries(headers).findLast(([key]) => key.toLowerCase() === name)?.[1];
}

/** The text of an envelope: keys in Ditto's order, headers by their names, no `value` and `status` that are undefined. */
export function writeEnvelope({
  topic,
  headers,
  path,
  value,
  status,
}: {
  topic: string;
  headers: JsonObject;
  path: string;
  value?: Json | undefined;
  status?: number | undefined;
}): string {
  const sorted = Object.fromEntries(Object.entries(headers).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  return JSON.stringify({ topic, headers: sorted, path, value, status });
}
