// The options of a `start` command, as far as they can be judged before anything is sent; in the original's words.

import { PluginError } from "gantry";
import { blobUrl } from "./addresses.ts";

/** In the order in which the original looks for them. */
const required = ["azure.storage.endpoint", "azure.shared.access.signature", "azure.blob.container"];

export async function checkOptions({ options }: { options: Record<string, string> }): Promise<void> {
  for (const name of required)
    if (!options[name])
      throw new PluginError("UPLOAD_AZURE_OPTION_INVALID", `required parameter '${name}' missing or empty`);
  const [endpoint, sharedAccessSignature, container] = required.map((name) => options[name]!) as [
    string,
    string,
    string,
  ];
  blobUrl({ endpoint, container, name: "any", sharedAccessSignature });
}
