import { parseDuration, type Step } from "gantry";
import { openUpload, type UploadConnections } from "gantry/toolkit/uploads";
import { openClient } from "../client.ts";
import { serverFailure } from "../failures.ts";
import { putMultipart } from "../multipart.ts";
import { nameOf } from "../object.ts";
import type { Config, PutInput, PutOutput } from "../plugin.types.ts";
import { putSingle } from "../single.ts";

export function put(config: Config, connections: UploadConnections): Step<PutInput, PutOutput> {
  return {
    plan: ({ path, bucket, key }) => `stores ${path} as ${key} in the bucket ${bucket}`,

    async run(input, context) {
      const { path, compression, followLinks, allowGrowth } = input;
      const { partSizeBytes: partBytes, parallelParts } = config;
      const client = await openClient(input, config, connections);
      const silenceMs = parseDuration(config.silenceTimeout)!;
      const upload = await openUpload({ path, compression, followLinks, allowGrowth, silenceMs }, context);
      try {
        const storing = { client, upload, input };
        const { etag, sentBytes } =
          upload.sizeBytes < partBytes
            ? await putSingle(storing)
            : await putMultipart(storing, { ...context, partBytes, parallelParts });
        return { sizeBytes: upload.sizeBytes, sentBytes, etag };
      } catch (error) {
        context.signal.throwIfAborted();
        throw serverFailure(error, nameOf(input));
      } finally {
        await upload.close();
        client.destroy();
      }
    },
  };
}
