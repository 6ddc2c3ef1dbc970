import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { PluginError, type Step, type StepContext } from "gantry";
import { makeFolder, syncFolder } from "gantry/toolkit/folders";
import { createDecipher, decrypted } from "../cipher.ts";
import { decoded } from "../cipher-text.ts";
import { inStorage, isBaseName } from "../folders.ts";
import type { DecryptInput, DecryptOutput } from "../plugin.types.ts";

export function decrypt(): Step<DecryptInput, DecryptOutput> {
  return {
    plan: ({ path, directory, filename }) => `decrypts ${path} to ${join(directory, filename)}`,

    run: (input, context) =>
      inStorage(async () => {
        const { directory, filename, fileMode } = input;
        if (!isBaseName(filename))
          throw new PluginError("SOFTWARE_UPDATE_PATH_REFUSED", `${JSON.stringify(filename)} is no name of a file`);
        await makeFolder(directory);
        const path = join(directory, filename);
        const part = join(directory, `.${filename.slice(0, 100)}.gantry-clear`);
        await rm(part, { force: true });
        try {
          const sizeBytes = await writeClear(part, input, context);
          await rename(part, path);
          await syncFolder(directory);
          return { path, sizeBytes };
        } catch (error) {
          await rm(part, { force: true }).catch(() => {});
          context.signal.throwIfAborted();
          throw error;
        }

        async function writeClear(to: string, given: DecryptInput, { signal, progress }: StepContext): Promise<number> {
          const format = given.format === "hex" ? "hex" : "base64";
          const decipher = createDecipher(given, format);
          const total = (await stat(given.path)).size;
          await using file = await open(to, "wx", 0o600);
          // Read at once: an abort while nobody listens would end the host.
          const source = createReadStream(given.path, { signal });
          let sizeBytes = 0;
          for await (const clear of decrypted(decoded(source, format), decipher, given.padding)) {
            await file.write(clear);
            sizeBytes += clear.length;
            if (total > 0) progress({ percent: Math.min(100, (source.bytesRead / total) * 100) });
          }
          await file.chmod(Number.parseInt(fileMode, 8));
          await file.sync();
          return sizeBytes;
        }
      }),
  };
}
