import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";

/** Binds any kind of server to a free port of 127.0.0.1; its end waits for its connections' ends. */
export async function listen(server: Server): Promise<{ port: number } & AsyncDisposable> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}
