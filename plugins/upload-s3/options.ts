// The options of a `start` command, as far as they can be judged before anything is sent; in the original's words.

import { PluginError } from "gantry";
import { parseEndpoint } from "./client.ts";

/** In the order in which the original looks for them. */
const required = ["aws.s3.bucket", "aws.access.key.id", "aws.region", "aws.secret.access.key"];

export async function checkOptions({ options }: { options: Record<string, string> }): Promise<void> {
  for (const name of required) if (!options[name]) throw invalid(`required parameter '${name}' missing or empty`);
  if (options["aws.endpoint"] !== undefined) parseEndpoint(options["aws.endpoint"]);
  const { "aws.s3.checksum": checksum = "none" } = options;
  if (!["none", "SHA256", "CRC32"].includes(checksum)) throw invalid(`unsupported checksum: ${checksum}`);
}

const invalid = (message: string) => new PluginError("UPLOAD_S3_OPTION_INVALID", message);
