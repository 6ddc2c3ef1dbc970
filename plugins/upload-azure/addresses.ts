import { PluginError } from "gantry";
import { parseUrl } from "gantry/toolkit/addresses";
import type { PutInput } from "./plugin.types.ts";

type Place = Pick<PutInput, "endpoint" | "container" | "name" | "sharedAccessSignature">;

/** With the signature in it. Throws UPLOAD_AZURE_OPTION_INVALID. */
export function blobUrl({ endpoint, container, name, sharedAccessSignature }: Place): URL {
  const url = parseUrl(endpoint.endsWith("/") ? endpoint : `${endpoint}/`);
  // Not a word of it: a signature is a secret.
  if (url === null) throw invalid("the storage endpoint is no URL of HTTP or HTTPS");
  if (url.username + url.password + url.search + url.hash !== "")
    throw invalid("the storage endpoint has a user, a query or a fragment");
  const names = name.split("/");
  if (!isName(container) || container.includes("/"))
    throw invalid("the container has a name that no container can have");
  if (!names.every(isName)) throw invalid("the blob has a name that no blob can have");
  const signature = sharedAccessSignature.replace(/^\?/, "");
  if (!/^[\u0021\u0022\u0024-\u007e]+$/.test(signature))
    throw invalid("the signature has signs that no query can have");
  return new URL(`${url.href}${[container, ...names].map(encodeURIComponent).join("/")}?${signature}`);
}

/** Of one level of a path: dots would lead out of it, and what is no text of Unicode cannot be escaped. */
const isName = (name: string) => ![".", ".."].includes(name) && name.isWellFormed();

const invalid = (message: string) => new PluginError("UPLOAD_AZURE_OPTION_INVALID", message);
