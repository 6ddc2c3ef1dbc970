import type { Step } from "gantry";
import { ArchiveFile } from "../archive-file.ts";
import { Budget, limitsOf } from "../budget.ts";
import { writeFailure } from "../failures.ts";
import { fingerprintOfTree } from "../fingerprint.ts";
import { readEntries } from "../formats.ts";
import { findPlace } from "../places.ts";
import type { Config, ExtractInput, ExtractOutput } from "../plugin.types.ts";
import type { Records } from "../records.ts";
import { clearLeftovers, hasLeftovers, Staging } from "../staging.ts";
import { isFree, targetExists } from "../target.ts";
import { turns } from "../turns.ts";

export function extract(config: Config, records: Records): Step<ExtractInput, ExtractOutput> {
  return {
    plan: ({ path, directory, replace }) =>
      `unpacks ${path} into ${directory}${replace ? ", in place of what is there" : ""}`,

    async check({ path, directory, links }, { signal, directory: runDirectory }) {
      const target = await findPlace(directory, config.allowedDirectories, runDirectory);
      if ((await records.read(target)) === undefined || (await hasLeftovers(target))) return undefined;
      await using file = await ArchiveFile.open(path, signal);
      return await recognise(target, sourceOf(await file.sha256(), links), records, signal);
    },

    async run(input, { signal, progress, directory: runDirectory }) {
      const target = await findPlace(input.directory, config.allowedDirectories, runDirectory);
      await using file = await ArchiveFile.open(input.path, signal);
      const source = sourceOf(await file.sha256(), input.links);
      const budget = new Budget(limitsOf(input, config), file.sizeBytes);
      const onRead = (bytes: number) => progress({ percent: (bytes / file.sizeBytes) * 100 });
      // `return await`: the file stays open until then.
      return await turns.take(target, signal, async () => {
        let staging: Staging | undefined;
        try {
          await clearLeftovers(target);
          // A crash, or another run, may have come between the work and its result.
          const made = await recognise(target, source, records, signal);
          if (made !== undefined) return made;
          if (!input.replace && !(await isFree(target))) throw targetExists(target);
          staging = await Staging.begin(target, budget);
          for await (const entry of readEntries(file, budget, onRead)) {
            signal.throwIfAborted();
            await staging.add(entry, input.links);
          }
          await staging.finish();
          const { files, fileCount, sizeBytes } = staging;
          const output: ExtractOutput = { directory: target, files, fileCount, sizeBytes };
          // Before it is in place, so that a crash right after that finds the record.
          await records.write({ target, source, result: await fingerprintOfTree(staging.path, signal), output });
          signal.throwIfAborted();
          await staging.putInPlace(input.replace);
          return output;
        } catch (error) {
          await staging?.discard().catch(() => {});
          signal.throwIfAborted();
          throw writeFailure(error);
        }
      });
    },
  };
}

// What an archive is allowed to have belongs to what was made of it.
const sourceOf = (sha256: string, links: ExtractInput["links"]) => `${sha256} links: ${links}`;

/** What the step has returned, if the folder is still as it has made it from this archive. */
async function recognise(
  target: string,
  source: string,
  records: Records,
  signal: AbortSignal,
): Promise<ExtractOutput | undefined> {
  const record = await records.read(target);
  if (record === undefined || record.source !== source) return undefined;
  const result = await fingerprintOfTree(target, signal).catch(() => undefined);
  signal.throwIfAborted();
  return result === record.result ? (record.output as ExtractOutput) : undefined;
}
