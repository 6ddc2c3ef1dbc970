// The options of a `start` command, as far as they can be judged before anything is sent.

import { PluginError } from "gantry";
import { collectionOf } from "./addresses.ts";

/** The hub is answered with the message of what this rejects with. */
export async function checkOptions({ options }: { options: Record<string, string> }): Promise<void> {
  const url = options["webdav.url"] ?? "";
  if (url === "") throw new PluginError("WEBDAV_OPTION_INVALID", "required parameter 'webdav.url' missing or empty");
  collectionOf(url);
}
