// The broker of a test: on a free port, behind a switch, and alive while the host is not.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { startMosquitto } from "./mosquitto.ts";
import { Switch } from "./switch.ts";

export type BrokerKind = "embedded" | "mosquitto";

export interface TestBroker {
  /** Where it listens for the test, whether the host reaches it or not. */
  readonly port: number;
  /** What the host connects to. */
  readonly url: string;
  readonly isOnline: boolean;
  /** Cuts the host off: its connection is closed and further ones are refused. */
  offline(): Promise<void>;
  online(): Promise<void>;
}

export async function startBroker(kind: BrokerKind): Promise<TestBroker & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const port = await (kind === "mosquitto" ? mosquitto(started) : embedded(started));
  const way = started.use(await Switch.to(port));
  const kept = started.move();
  return {
    port,
    url: `mqtt://127.0.0.1:${way.port}`,
    get isOnline() {
      return way.isOnline;
    },
    offline: () => way.offline(),
    online: () => way.online(),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function mosquitto(started: AsyncDisposableStack): Promise<number> {
  return started.use(await startMosquitto()).port;
}

/** In the test's own process: nothing to install. */
async function embedded(started: AsyncDisposableStack): Promise<number> {
  const { Aedes } = await import("aedes");
  const aedes = await Aedes.createBroker({ id: "test" });
  const server = createServer((socket) => void aedes.handle(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  started.defer(async () => {
    server.close();
    await new Promise<void>((resolve) => aedes.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
