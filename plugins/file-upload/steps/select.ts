import { lstat } from "node:fs/promises";
import type { Step } from "gantry";
import { handedOn } from "../handed-on.ts";
import type { Ledger } from "../ledger.ts";
import type { SelectInput, SelectOutput } from "../plugin.types.ts";
import { type SelectedFile, selectFiles } from "../selection.ts";
import type { Uploads } from "../uploads.ts";

export function select(uploads: Uploads, ledger: Ledger, maxFiles: number): Step<SelectInput, SelectOutput> {
  return {
    plan: ({ files, options }) => `selects ${options?.["upload.files"] ?? files} for an upload`,

    async run(input, { signal, log, run }) {
      const { files, include, exclude, mode, distinct, onlyChanged, singleUpload } = input;
      const options = input.options ?? {};
      const requested = options["upload.files"] ?? "";
      const forwarded = handedOn(options, "options.");
      const found = await selectFiles({ requested, files, include, exclude, mode, maxFiles, distinct }, signal, log);
      const selected = onlyChanged ? await changedSince(found, ledger) : found;
      const upload = await uploads.create({
        run: run.id,
        id: input.correlationId ?? "",
        files: selected,
        options: forwarded,
        single: singleUpload && options.force !== "true",
      });
      const left = found.length - selected.length;
      log.info("files selected for an upload", { upload, files: selected.length, unchanged: left });
      return { upload, files: selected.length };
    },
  };
}

/** Forgets what is no longer there, so that the memory does not grow with every file there ever was. */
async function changedSince(found: SelectedFile[], ledger: Ledger): Promise<SelectedFile[]> {
  for (let page = await ledger.uploadedAfter(""); page.length > 0; page = await ledger.uploadedAfter(page.at(-1)!)) {
    const gone = await Promise.all(page.map(async (path) => ((await isThere(path)) ? [] : [path])));
    await ledger.forgetUploaded(gone.flat());
  }
  const changed: SelectedFile[] = [];
  for (const file of found) if ((await ledger.uploadedIdentity(file.realPath)) !== file.identity) changed.push(file);
  return changed;
}

const isThere = (path: string) =>
  lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT",
  );
