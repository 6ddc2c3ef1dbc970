import { PluginError } from "gantry";
import type { PutInput } from "./plugin.types.ts";

type Place = Pick<PutInput, "endpoint" | "container" | "name" | "sharedAccessSignature">;

/** With the signature in it. Throws UPLOAD_AZURE_OPTION_INVALID. */
export function blobUrl({ endpoint, container, name, sharedAccessSignature }: Place): URL {
  const folder = endpoint.endsWith("/") ? endpoint : `${endpoint}/`;
  const path = [container, ...name.split("/")].map(encodeURIComponent).join("/");
  const url = URL.parse(`${folder}${path}?${sharedAccessSignature.replace(/^\?/, "")}`);
  if (url !== null && ["http:", "https:"].includes(url.protocol)) return url;
  // Not a word of it: the signature is a secret.
  throw new PluginError("UPLOAD_AZURE_OPTION_INVALID", "the storage endpoint is no URL of HTTP or HTTPS");
}
