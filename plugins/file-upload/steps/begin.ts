import { basename } from "node:path";
import type { Step } from "gantry";
import { handedOn } from "../handed-on.ts";
import type { BeginInput, BeginOutput } from "../plugin.types.ts";
import type { Targets } from "../targets.ts";
import { fileId } from "../upload-ids.ts";
import type { Uploads } from "../uploads.ts";

export function begin(uploads: Uploads, targets: Targets): Step<BeginInput, BeginOutput> {
  return {
    plan: ({ correlationId }) => `starts the upload ${correlationId}`,

    async run({ correlationId, options }, { run }) {
      const id = correlationId ?? "";
      const given = options ?? {};
      // In the order of the original: what is not there is said before what is wrong with its options.
      await uploads.startable(id, run.id);
      const provider = await targets.choose(given);
      const file = await uploads.start(id, run.id, handedOn(given, "info."));
      return {
        id: fileId(file),
        upload: file.batch,
        provider,
        path: file.path,
        realPath: file.realPath,
        name: basename(file.path),
      };
    },
  };
}
