// Where an object goes and who sends it, as far as that can be judged before anything is sent. What is wrong would
// otherwise be told by the SDK or by Node, in the midst of a request and as if the next attempt could mend it.

import { PluginError } from "gantry";
import { parseUrl } from "gantry/toolkit/addresses";
import type { PutInput } from "./plugin.types.ts";

export const invalid = (message: string) => new PluginError("UPLOAD_S3_OPTION_INVALID", message);

type Place = Pick<PutInput, "bucket" | "key" | "region" | "accessKeyId" | "sessionToken">;

/** Throws UPLOAD_S3_OPTION_INVALID, without a word of what is secret. */
export function checkPlace({ bucket, key, region, accessKeyId, sessionToken }: Place): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it must not have
  const isPath = /[\u0000-\u001f\u007f]/.test(bucket) || (bucket.includes("/") && !bucket.startsWith("arn:"));
  if (isPath || [".", ".."].includes(bucket) || !bucket.isWellFormed())
    throw invalid("the bucket has a name that no bucket can have");
  if (!key.isWellFormed()) throw invalid("the key is no text of Unicode");
  if (!/^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/.test(region)) throw invalid("the region has signs that no region has");
  for (const [name, text] of Object.entries({ "access key id": accessKeyId, "session token": sessionToken ?? "" }))
    if (!/^[\u0021-\u007e]*$/.test(text)) throw invalid(`the ${name} has signs that no request can carry`);
}

/** Throws UPLOAD_S3_OPTION_INVALID. */
export function parseEndpoint(address: string): URL {
  const url = parseUrl(address);
  if (url === null) throw invalid("the endpoint is no URL of HTTP or HTTPS");
  if (url.username + url.password + url.search + url.hash !== "")
    throw invalid("the endpoint has a user, a query or a fragment");
  return url;
}
