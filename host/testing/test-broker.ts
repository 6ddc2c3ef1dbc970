// The broker of a test: on a free port, behind a switch, and alive while the host is not.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { startMosquitto } from "./mosquitto.ts";
import { Switch } from "./switch.ts";

export type BrokerKind = "embedded" | "mosquitto" | "plugin";

export interface TestBroker {
  /** Where it listens for the test, whether the host reaches it or not. */
  readonly port: number;
  /** What the host connects to. */
  readonly url: string;
  /** Whether the host can reach it. */
  readonly isOnline: boolean;
  /** Cuts the host off: its connection is closed and further ones are refused. */
  offline(): Promise<void>;
  online(): Promise<void>;
  /** Ends it, for the host and for the test; what it has to keep it keeps. */
  stop(): Promise<void>;
  /** Starts it again on the same port; one that was not stopped is stopped before. */
  restart(): Promise<void>;
}

/** What is behind the switch. */
interface Served extends Pick<TestBroker, "port" | "stop" | "restart"> {}

export async function startBroker(
  kind: Exclude<BrokerKind, "plugin">,
  between: (port: number) => Promise<number> = async (port) => port,
): Promise<TestBroker & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const served = await (kind === "mosquitto" ? mosquitto(started) : embedded(started));
  const way = started.use(await Switch.to(await between(served.port)));
  const kept = started.move();
  let runs = true;
  return {
    port: served.port,
    url: `mqtt://127.0.0.1:${way.port}`,
    get isOnline() {
      return runs && way.isOnline;
    },
    offline: () => way.offline(),
    online: () => way.online(),
    async stop() {
      runs = false;
      await served.stop();
    },
    async restart() {
      await served.restart();
      runs = true;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function mosquitto(started: AsyncDisposableStack): Promise<Served> {
  return started.use(await startMosquitto());
}

/** In the test's own process: nothing to install. */
async function embedded(started: AsyncDisposableStack): Promise<Served> {
  const { Aedes } = await import("aedes");
  const aedes = await Aedes.createBroker({ id: "test" });
  const server = createServer((socket) => void aedes.handle(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  started.defer(async () => {
    server.close();
    await new Promise<void>((resolve) => aedes.close(resolve));
  });
  // One that nobody reaches is as good as stopped.
  const door = started.use(await Switch.to((server.address() as AddressInfo).port));
  return {
    port: door.port,
    stop: () => door.offline(),
    async restart() {
      await door.offline();
      await door.online();
    },
  };
}
