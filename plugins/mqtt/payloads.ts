import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import type { Json } from "gantry";
import type { Message } from "./service.ts";

export function encodePayload(payload: Json): Buffer {
  if (payload === null) return Buffer.alloc(0);
  return Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
}

export function decodePayload(bytes: Buffer): Pick<Message, "payload" | "payloadBase64"> {
  return isUtf8(bytes) ? { payload: bytes.toString("utf8") } : { payloadBase64: bytes.toString("base64") };
}

/** What a redelivery is recognised by beside its packet id. */
export function fingerprintOf(topic: string, bytes: Buffer): string {
  return createHash("sha256").update(topic).update("\0").update(bytes).digest("base64");
}
