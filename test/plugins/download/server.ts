// A server whose handler may misbehave, and the step on it.

import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Failure } from "../../../host/errors.ts";
import type { JsonObject, StepContext } from "../../../host/sdk.ts";
import { partPathOf } from "../../../plugins/download/destination.ts";
import { PartRecords } from "../../../plugins/download/part-records.ts";
import type { FetchOutput } from "../../../plugins/download/plugin.types.ts";
import { failureOf, type RecordedContext, runStep, stepContext } from "../../support/step-context.ts";

export interface TestServer extends AsyncDisposable {
  url: string;
  port: number;
  requests: IncomingMessage[];
}

export async function serve(answer: RequestListener, tls?: ServerOptions): Promise<TestServer> {
  const requests: IncomingMessage[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    requests.push(request);
    answer(request, response);
  };
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    port,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export interface Fetching extends Disposable {
  context: RecordedContext;
  /** The folder `files`, which does not exist yet. */
  directory: string;
  fetch(url: string, input?: JsonObject): Promise<FetchOutput>;
  /** Expects a failure, which must leave nothing in the folder. */
  refused(url: string, input?: JsonObject): Promise<Failure>;
  /** Where the beginning of this file is while it arrives. */
  partOf(name: string): Promise<string>;
  /** What is in the folder, by name. */
  files(): Record<string, string>;
}

/** The step with this configuration; no checksum is asked for unless the input says so. */
export function fetching(config: JsonObject = {}, overrides: Partial<StepContext> = {}): Fetching {
  const context = stepContext(overrides);
  const directory = join(context.directory, "files");
  const fetch = (url: string, input: JsonObject = {}) =>
    runStep<FetchOutput>("download", "fetch", { url, directory, allowWeakChecksums: true, ...input }, context, config);
  return {
    context,
    directory,
    fetch,
    async refused(url, input) {
      const before = namesIn(directory);
      const failure = await failureOf("download", fetch(url, input));
      const after = namesIn(directory);
      if (after.join() !== before.join()) throw new Error(`it left something behind: ${after.join()}`);
      return failure;
    },
    partOf: async (name) =>
      partPathOf(join(directory, name), await new PartRecords(join(context.directory, "parts")).hostId()),
    files: () =>
      Object.fromEntries(namesIn(directory).map((name) => [name, readFileSync(join(directory, name), "utf8")])),
    [Symbol.dispose]: () => context[Symbol.dispose](),
  };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
