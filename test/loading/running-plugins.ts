import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { activatePlugins } from "../../host/loading/activate.ts";
import type { ActivateOptions, ActivePlugins } from "../../host/loading/active-plugins.ts";
import { startInProcess } from "../../host/loading/in-process.ts";
import { hostPlugin } from "../../host/loading/locate-plugin.ts";
import { type HostDocuments, readHost } from "../../host/loading/read-host.ts";
import { openStore } from "../../host/store/open.ts";
import { type LogLine, recordingLog } from "../support/recording-log.ts";
import type { HostFolder } from "./host-folder.ts";

/** `states` leaves out the host's own plugin, which is part of every host. */
export interface RunningPlugins extends ActivePlugins {
  documents: HostDocuments;
  dataDirectory: string;
  lines: LogLine[];
}

/**
 * Reads the folder and activates its plugins on a store of their own, in this process if `options` say nothing else;
 * everything is stopped after the test.
 */
export async function activateFolder(
  t: TestContext,
  folder: HostFolder,
  options: Partial<ActivateOptions> = {},
): Promise<RunningPlugins> {
  const dataDirectory = join(folder.path, "data");
  mkdirSync(dataDirectory);
  const documents = readHost(folder.configurationFile);
  const store = await openStore(dataDirectory);
  const lines: LogLine[] = [];
  let stop: (() => Promise<void>) | undefined;
  t.after(async () => {
    await stop?.();
    await store.close();
  });
  const plugins = await activatePlugins(documents, {
    store,
    log: recordingLog(lines),
    dataDirectory,
    start: startInProcess,
    ...options,
  });
  stop = plugins.stop;
  const states = () => plugins.states().filter(({ name }) => name !== hostPlugin.name);
  return { ...plugins, states, documents, dataDirectory, lines };
}
