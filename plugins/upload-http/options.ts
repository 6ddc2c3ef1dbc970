// The options of a `start` command, as far as they can be judged before anything is sent. The texts are those of the
// original: the hub is answered with them.

import { PluginError } from "gantry";
import { urlOf } from "./addresses.ts";

export async function checkOptions({ options }: { options: Record<string, string> }): Promise<void> {
  const { "https.url": url = "", "https.resume": resume = "none" } = options;
  const method = (options["https.method"] ?? "PUT").toUpperCase();
  if (url === "") throw invalid("upload URL not specified");
  urlOf(url);
  if (!["PUT", "POST"].includes(method)) throw invalid(`unsupported HTTP method: ${method}`);
  if (!["none", "content-range"].includes(resume)) throw invalid(`unsupported way to resume: ${resume}`);
}

const invalid = (message: string) => new PluginError("UPLOAD_HTTP_OPTION_INVALID", message);
