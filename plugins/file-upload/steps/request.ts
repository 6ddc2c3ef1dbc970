import type { JsonObject, Step } from "gantry";
import type { Things } from "../../things/service.ts";
import type { BatchFile } from "../ledger.ts";
import type { RequestInput, RequestOutput } from "../plugin.types.ts";
import type { Targets } from "../targets.ts";
import { fileId } from "../upload-ids.ts";
import type { Uploads } from "../uploads.ts";

export function request(
  uploads: Uploads,
  targets: Targets,
  things: Things,
  feature: string,
): Step<RequestInput, RequestOutput> {
  return {
    plan: ({ upload }) => `asks the hub to start each file of the upload ${upload}`,

    async run({ upload, options: own }, { signal, idempotencyKey }) {
      const providers = targets.names().join(", ");
      const send = async (file: BatchFile, options: JsonObject) => {
        const value = {
          correlationId: fileId(file),
          options: sorted({ ...options, ...own, "file.path": file.path, "storage.providers": providers }),
        };
        // A hub that is slow, or away, must not cost a request its place in the outbox.
        await things.send({
          feature,
          subject: "request",
          value,
          replyTo: true,
          waitForRoom: true,
          key: `${idempotencyKey}/${file.number}`,
        });
      };
      // What waits for room in the outbox is not awaited any more once the run ends.
      const aborted = Promise.withResolvers<never>();
      const onAbort = () => aborted.reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        return { requests: await Promise.race([uploads.request(upload, send, signal), aborted.promise]) };
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    },
  };
}

const sorted = (options: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(options).toSorted(([one], [other]) => (one < other ? -1 : 1)));
