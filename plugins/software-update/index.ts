import { definePlugin, type JsonObject } from "gantry";
import type { Things } from "../things/service.ts";
import { type DependencyFile, numbered, readDependencies as readFrom } from "./dependencies.ts";
import type { Config } from "./plugin.types.ts";
import { Reported } from "./reported.ts";
import { decrypt } from "./steps/decrypt.ts";
import { findInstalled } from "./steps/find-installed.ts";
import { forget } from "./steps/forget.ts";
import { keepRemover } from "./steps/keep-remover.ts";
import { listUnfinished } from "./steps/list-unfinished.ts";
import { readDependencies } from "./steps/read-dependencies.ts";
import { report } from "./steps/report.ts";
import { reuse } from "./steps/reuse.ts";
import { saveDependencies } from "./steps/save-dependencies.ts";
import { stage } from "./steps/stage.ts";
import { store } from "./steps/store.ts";
import { Storage } from "./storage.ts";
import { Turns } from "./turns.ts";

const definition = ["org.eclipse.hawkbit.swupdatable:SoftwareUpdatable:2.0.0"];

export default definePlugin<Config, { things: Things }>({
  async setup({ config, services: { things }, keyValue, directory, log }) {
    const storage = new Storage(config.storageLocation, directory);
    const reported = new Reported(keyValue);
    // What touches the kept downloads, or what is installed, does so one after the other.
    const turns = new Turns();
    const files = await readFrom(storage.installedDependencies).catch((error): DependencyFile[] => {
      log.warn("what is installed cannot be read", { code: "SOFTWARE_UPDATE_STORAGE_FAILED", err: error });
      return [];
    });
    const installed = numbered(files) as unknown as JsonObject;
    const status: JsonObject = {
      softwareModuleType: config.moduleType,
      ...(Object.keys(installed).length === 0 ? {} : { installedDependencies: installed }),
      lastOperation: null,
      lastFailedOperation: null,
    };
    await things.register({ feature: config.featureId, definition, properties: { status } });
    return {
      steps: {
        stage: stage(config, storage),
        report: report(config, things, reported),
        reuse: reuse(storage, turns),
        decrypt: decrypt(),
        "save-dependencies": saveDependencies(storage, turns),
        "read-dependencies": readDependencies(storage),
        store: store(storage, turns),
        "list-unfinished": listUnfinished(reported),
        "keep-remover": keepRemover(storage),
        "find-installed": findInstalled(storage),
        forget: forget(storage, turns),
      },
    };
  },
});
