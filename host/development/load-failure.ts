// Why a plugin's module cannot be imported, and where in its code the reason stands.

import { execFile } from "node:child_process";
import { glob } from "node:fs/promises";
import { join } from "node:path";
import { placeOf } from "../error-place.ts";
import { type Failure, toFailure } from "../errors.ts";
import { PluginError } from "../sdk.ts";

export async function loadFailure(
  error: unknown,
  directory: string,
): Promise<Pick<Failure, "code" | "message" | "place">> {
  const { code, message } = toFailure(error);
  if (error instanceof PluginError) return { code, message };
  const place = (error instanceof Error ? placeOf(error) : undefined) ?? (await placeOfSyntaxError(error, directory));
  return { code: "PLUGIN_START_FAILED", message, ...(place === undefined ? {} : { place }) };
}

/** Node says where JavaScript cannot be read only when it ends because of that. */
async function placeOfSyntaxError(error: unknown, directory: string): Promise<string | undefined> {
  if (!(error instanceof Error) || error.name !== "SyntaxError") return undefined;
  const exclude = (name: string) => name.includes("node_modules");
  for await (const file of glob("**/*.{js,mjs,cjs}", { cwd: directory, exclude })) {
    const place = await new Promise<string | undefined>((resolve) => {
      execFile(process.execPath, ["--check", join(directory, file)], (_, __, stderr) =>
        resolve(/^(\/.+:\d+)\n/.exec(stderr)?.[1]),
      );
    });
    if (place !== undefined) return place;
  }
  return undefined;
}
