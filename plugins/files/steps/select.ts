import { PluginError, type Step } from "gantry";
import { matcher } from "gantry/toolkit/globs";
import { isMissing, withCodes } from "../failures.ts";
import { findFolder } from "../places.ts";
import type { Config, SelectInput, SelectOutput } from "../plugin.types.ts";
import { walk } from "../tree.ts";

export function select(config: Config): Step<SelectInput, SelectOutput> {
  return {
    plan: ({ directory, include }) => `looks for ${include.join(", ")} in ${directory}`,

    run: (input, { signal, directory: runDirectory }) =>
      withCodes(signal, async () => {
        const isIncluded = matcher(input.include, invalidGlob);
        const isExcluded = matcher(input.exclude, invalidGlob);
        const root = await findFolder(input.directory, { allowed: config.allowedDirectories, runDirectory });
        const files: SelectOutput["files"] = [];
        let sizeBytes = 0;
        for await (const { path, relative, stats } of walkOf(root, signal, (name) => !isExcluded(name))) {
          if (!stats.isFile() || !isIncluded(relative)) continue;
          if (files.length === input.maxFiles)
            throw new PluginError("FILES_TOO_MANY", `more than ${input.maxFiles} files in ${root} match`);
          files.push({ path, sizeBytes: stats.size, modifiedAt: stats.mtime.toISOString() });
          sizeBytes += stats.size;
        }
        files.sort((one, other) => (one.path < other.path ? -1 : 1));
        return { files, fileCount: files.length, sizeBytes };
      }),
  };
}

async function* walkOf(root: string, signal: AbortSignal, enter: (relative: string) => boolean) {
  try {
    yield* walk(root, signal, enter);
  } catch (error) {
    if (isMissing(error)) throw new PluginError("FILES_MISSING", (error as Error).message, { cause: error });
    throw error;
  }
}

const invalidGlob = (message: string) => new PluginError("FILES_GLOB_INVALID", message);
