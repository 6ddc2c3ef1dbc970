// The options of a `start` command, as far as they can be judged before anything is sent; in the original's words.

import { checkPlace, invalid, parseEndpoint } from "./place.ts";

/** In the order in which the original looks for them. */
const required = ["aws.s3.bucket", "aws.access.key.id", "aws.region", "aws.secret.access.key"];

export async function checkOptions({ options }: { options: Record<string, string> }): Promise<void> {
  for (const name of required) if (!options[name]) throw invalid(`required parameter '${name}' missing or empty`);
  const [bucket, accessKeyId, region] = required.map((name) => options[name]!) as [string, string, string];
  const { "aws.object.key": key = "key", "aws.session.token": sessionToken = null } = options;
  checkPlace({ bucket, key, region, accessKeyId, sessionToken });
  if (key === "") throw invalid("the key is empty");
  if (options["aws.endpoint"] !== undefined) parseEndpoint(options["aws.endpoint"]);
  const { "aws.s3.checksum": checksum = "none" } = options;
  if (!["none", "SHA256", "CRC32"].includes(checksum)) throw invalid(`unsupported checksum: ${checksum}`);
}
