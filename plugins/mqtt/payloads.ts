import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { type Json, PluginError } from "gantry";
import type { Message } from "./service.ts";

/** Throws MQTT_BASE64_INVALID. */
export function encodePayload(payload: Json): Buffer {
  if (payload === null) return Buffer.alloc(0);
  const base64 = base64Of(payload);
  if (base64 !== undefined) {
    const bytes = Buffer.from(base64, "base64");
    if (bytes.toString("base64") !== base64)
      throw new PluginError("MQTT_BASE64_INVALID", "the text in $base64 is not standard base64 with its padding");
    return bytes;
  }
  return Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
}

/** Only bytes have this form: one member, a text. */
function base64Of(payload: Json): string | undefined {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) return undefined;
  const { $base64, ...others } = payload;
  return typeof $base64 === "string" && Object.keys(others).length === 0 ? $base64 : undefined;
}

export function decodePayload(bytes: Buffer): Pick<Message, "payload" | "payloadBase64"> {
  return isUtf8(bytes) ? { payload: bytes.toString("utf8") } : { payloadBase64: bytes.toString("base64") };
}

/** What a redelivery is recognised by beside its packet id. */
export function fingerprintOf(topic: string, bytes: Buffer): string {
  return createHash("sha256").update(topic).update("\0").update(bytes).digest("base64");
}
