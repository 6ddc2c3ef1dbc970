import { parseDuration, type Step } from "gantry";
import { openUpload, type UploadConnections } from "gantry/toolkit/uploads";
import { putBlocks } from "../blocks.ts";
import { openBlob } from "../client.ts";
import { serverFailure } from "../failures.ts";
import type { Config, PutInput, PutOutput } from "../plugin.types.ts";
import { putSingle } from "../single.ts";

export function put(config: Config, connections: UploadConnections): Step<PutInput, PutOutput> {
  return {
    plan: ({ path, container, name }) => `stores ${path} as ${name} in the container ${container}`,

    async run(input, context) {
      const { path, compression, followLinks, allowGrowth } = input;
      const { blockSizeBytes: blockBytes, parallelBlocks } = config;
      const client = await openBlob(input, config, connections);
      const silenceMs = parseDuration(config.silenceTimeout)!;
      const upload = await openUpload({ path, compression, followLinks, allowGrowth, silenceMs }, context);
      try {
        const storing = { client, upload, input };
        const { etag, sentBytes } =
          upload.sizeBytes < blockBytes
            ? await putSingle(storing)
            : await putBlocks(storing, { ...context, blockBytes, parallelBlocks });
        return { sizeBytes: upload.sizeBytes, sentBytes, etag };
      } catch (error) {
        context.signal.throwIfAborted();
        throw serverFailure(error, input);
      } finally {
        await upload.close();
      }
    },
  };
}
