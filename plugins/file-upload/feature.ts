// The feature `AutoUploadable` in the twin, and what its commands are answered where no workflow takes them.

import type { JsonObject } from "gantry";
import type { Things } from "../things/service.ts";
import { autoUpload } from "./activation.ts";
import type { Config } from "./plugin.types.ts";
import type { Schedule } from "./schedule.ts";
import type { Targets } from "./targets.ts";

const definition = [
  "com.bosch.iot.suite.manager.upload:AutoUploadable:1.0.0",
  "com.bosch.iot.suite.manager.upload:Uploadable:1.0.0",
];

export async function announce(
  things: Things,
  { featureId: feature, type, context }: Config,
  targets: Targets,
  schedule: Schedule,
): Promise<void> {
  const now = autoUpload(schedule.activation);
  const properties: JsonObject = {
    type,
    context,
    info: { supportedProviders: targets.names().join(",") },
    autoUpload: now,
  };
  await things.register({
    feature,
    definition,
    properties,
    withoutRequestId: "run",
    withoutHeaders: "run",
    contentType: "always",
    responseRequired: false,
    unknownOperation: {
      status: 400,
      error: "messages:execution.failed",
      message: "Unsupported operation: {operation}",
    },
  });
  // What was reported goes before what is announced: an earlier activation must not stand there for ever.
  if (schedule.isReconfigured) await things.report({ feature, path: "autoUpload", value: now });
}
