import { parseDuration, type Step } from "gantry";
import { parseUrl, shown } from "gantry/toolkit/addresses";
import { openUpload, type UploadConnections } from "gantry/toolkit/uploads";
import { collectionOf, placeOf } from "../addresses.ts";
import type { Config, PutInput, PutOutput } from "../plugin.types.ts";
import { DavServer } from "../server.ts";

/** Stores a file under another name first, so that nobody takes a part of it for the whole. */
export function put(config: Config, connections: UploadConnections): Step<PutInput, PutOutput> {
  return {
    plan: ({ path, url, name }) => `stores ${path} as ${name} on ${parseUrl(url)?.host ?? "no server"}`,

    async run({ path, url, name, username, password, followLinks, allowGrowth }, context) {
      const { target, draft, collection } = placeOf(collectionOf(url), name, context.idempotencyKey);
      const silenceMs = parseDuration(config.silenceTimeout)!;
      const upload = await openUpload({ path, followLinks, allowGrowth, compression: "none", silenceMs }, context);
      try {
        const agent = connections.agentFor(target, config);
        const server = new DavServer(upload, agent, authorizationOf(username, password));
        // First, so that no large file is sent to a place that is not there.
        await server.provide(collection);
        try {
          await server.put(draft, await upload.whole());
          await upload.check();
          await server.move(draft, target);
        } catch (error) {
          // After a lost connection the next attempt writes over it.
          if (!context.signal.aborted && !isLost(error)) await server.remove(draft).catch(() => {});
          throw error;
        }
        return { sizeBytes: upload.sizeBytes, url: shown(target) };
      } finally {
        await upload.close();
      }
    },
  };
}

const isLost = (error: unknown) => String((error as { code?: unknown }).code).startsWith("UPLOAD_SERVER_");

function authorizationOf(username: string | null = null, password: string | null = null): string | undefined {
  if (username === null && password === null) return undefined;
  return `Basic ${Buffer.from(`${username ?? ""}:${password ?? ""}`).toString("base64")}`;
}
