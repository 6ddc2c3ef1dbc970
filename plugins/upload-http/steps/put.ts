import { PluginError, parseDuration, type Step } from "gantry";
import { shown } from "gantry/toolkit/addresses";
import { connectionFailure, openUpload, sendUpload, type UploadConnections } from "gantry/toolkit/uploads";
import { urlOf } from "../addresses.ts";
import { headersOf } from "../headers.ts";
import type { Config, PutInput, PutOutput } from "../plugin.types.ts";
import { putInParts } from "../ranges.ts";
import { judge } from "../statuses.ts";
import { putWhole, type Target } from "../whole.ts";

export function put(config: Config, connections: UploadConnections): Step<PutInput, PutOutput> {
  return {
    plan: ({ path, method, url }) => `sends ${path} by ${method.toUpperCase()} to ${shown(urlOf(url))}`,

    async run(input, context) {
      const { path, compression, followLinks, allowGrowth, resume } = input;
      const url = urlOf(input.url);
      if (resume !== "none" && compression !== "none")
        throw new PluginError("UPLOAD_HTTP_OPTION_INVALID", "what is compressed on the way cannot be resumed");
      const method = input.method.toUpperCase();
      const headers = headersOf(input.headers, input.headerPrefix);
      const agent = connections.agentFor(url, { ...config, caCert: input.caCert ?? config.caCert });
      const silenceMs = parseDuration(config.silenceTimeout)!;
      const upload = await openUpload({ path, compression, followLinks, allowGrowth, silenceMs }, context);
      const target: Target = {
        checksum: input.checksum,
        headers: { ...headers, ...(compression === "gzip" ? { "content-encoding": "gzip" } : {}) },
        async ask(more, part, isLast) {
          const lengthBytes = part?.lengthBytes ?? 0;
          return await upload.exchange(
            part,
            (body, signal) =>
              sendUpload(url, body, { method, headers: more, lengthBytes, agent, signal }).catch((error) => {
                throw connectionFailure(error, shown(url));
              }),
            { isWhole: isLast },
          );
        },
      };
      try {
        const { sentBytes, answer } =
          resume === "none"
            ? await putWhole(upload, target)
            : await putInParts(upload, target, { ...context, partBytes: config.partSizeBytes });
        judge(answer);
        return { sizeBytes: upload.sizeBytes, sentBytes, status: answer.status };
      } finally {
        await upload.close();
      }
    },
  };
}
