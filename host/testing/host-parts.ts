// What a test's host consists of.

import type { DeviceIdentity } from "../sdk.ts";
import { HostFolder } from "./host-folder.ts";
import { HostLog } from "./host-log.ts";
import { Journal } from "./journal.ts";
import { Lives } from "./lives.ts";
import { ConnectedClient } from "./mqtt-client.ts";
import { PluginBroker } from "./plugin-broker.ts";
import { startBroker, type TestBroker } from "./test-broker.ts";
import { configurationOf, type TestHostOptions } from "./test-host-options.ts";

/** On which a host only talks to itself. */
export const ownTopic = "gantry/testing/own";

export interface Parts extends AsyncDisposable {
  folder: HostFolder;
  log: HostLog;
  journal: Journal;
  lives: Lives;
  broker: TestBroker | undefined;
  client: ConnectedClient | undefined;
}

/** All but the first life; the client is connected, where the broker is there without the host. */
export async function makeParts(options: TestHostOptions, device: DeviceIdentity | null): Promise<Parts> {
  await using made = new AsyncDisposableStack();
  const { broker: kind, between, workflows = {}, faulty = false } = options;
  const log = new HostLog();
  const findPort = () => log.lines.findLast(({ plugin, port }) => plugin === "mqtt" && port !== undefined)?.port;
  const started = kind === undefined || kind === "plugin" ? undefined : made.use(await startBroker(kind, between));
  const broker = kind === "plugin" ? new PluginBroker(() => findPort() as number | undefined) : started;
  const client = broker === undefined ? undefined : made.use(new ConnectedClient(ownTopic));
  if (started !== undefined) await client?.connect(started.port);
  const folder = made.use(new HostFolder(configurationOf(options, device, started), workflows));
  if (!faulty) folder.check();
  const journal = made.use(new Journal(folder.data));
  const leave = async () => {
    // It has gone with the host.
    if (kind === "plugin") await client!.disconnect();
  };
  const lives = made.use(new Lives(options, folder, log, leave));
  const kept = made.move();
  return { folder, log, journal, lives, broker, client, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
