import { PluginError, parseDuration, type Step, type StepContext } from "gantry";
import { shown } from "gantry/toolkit/addresses";
import { authorizer } from "gantry/toolkit/credentials";
import { readTlsFiles } from "gantry/toolkit/tls-files";
import { urlOf } from "../addresses.ts";
import { Checksums } from "../checksums.ts";
import { alreadyThere, type Destination, findDestination, makeDestination, nameOf } from "../destination.ts";
import { isPassing, unreadableCertificate } from "../failures.ts";
import { fetchSource, type Transfer } from "../fetch-source.ts";
import { limitOf } from "../limits.ts";
import { paceOf } from "../pace.ts";
import type { Parts } from "../parts.ts";
import type { Config, FetchInput, FetchOutput } from "../plugin.types.ts";
import { reporter } from "../reports.ts";
import { firstOf } from "../sources.ts";
import { turns } from "../turns.ts";

export function fetch(config: Config, parts: Parts): Step<FetchInput, FetchOutput> {
  const target = ({ url, directory, filename }: FetchInput) => ({
    directory,
    filename: filename ?? nameOf(urlOf(url)),
    allowedDirectories: config.allowedDirectories,
  });
  return {
    plan: ({ url, directory, filename }) =>
      `downloads ${shown(urlOf(url))} to ${directory}${filename === undefined ? "" : `/${filename}`}`,

    async check(input, { signal }) {
      const checksums = new Checksums(input);
      const destination = await findDestination(target(input));
      const found = await alreadyThere(destination.path, input.sizeBytes, checksums, signal);
      return found && outputOf(destination, found.sizeBytes, found.digests);
    },

    async run(input, context) {
      const { signal } = context;
      const checksums = new Checksums(input);
      const urls = [input.url, ...input.sources].map(urlOf);
      const transfer = transferOf(input, config, checksums, context);
      const destination = await makeDestination(target(input));
      return turns.take(destination.path, signal, async (waited) => {
        // What the one before has made may be this very file. Without one before, `check` has just been asked.
        const found = waited ? await alreadyThere(destination.path, input.sizeBytes, checksums, signal) : undefined;
        if (found !== undefined) return outputOf(destination, found.sizeBytes, found.digests);
        return parts.use(
          destination.path,
          checksums,
          signal,
          async (part) => {
            const digests = await firstOf(urls, context, (url) => fetchSource(url, part, transfer));
            const sizeBytes = part.bytes;
            await part.putInPlace(destination.path, input.fileMode);
            return outputOf(destination, sizeBytes, digests);
          },
          (error) => fateOfPart(error, signal),
        );
      });
    },
  };
}

/** Throws DOWNLOAD_TOO_LARGE, DOWNLOAD_CERTIFICATE_UNREADABLE. */
function transferOf(input: FetchInput, config: Config, checksums: Checksums, context: StepContext): Transfer {
  const wantedBytes = input.sizeBytes > 0 ? input.sizeBytes : undefined;
  if (wantedBytes !== undefined && wantedBytes > config.maxSizeBytes)
    throw new PluginError(
      "DOWNLOAD_TOO_LARGE",
      `the file has ${wantedBytes} bytes, and at most ${config.maxSizeBytes} are accepted`,
      { details: { limitBytes: config.maxSizeBytes } },
    );
  return {
    checksums,
    wantedBytes,
    limitBytes: wantedBytes ?? limitOf(input, config),
    silenceMs: parseDuration(config.silenceTimeout)!,
    minBytesPerSecond: config.minBytesPerSecond,
    tls: readTlsFiles({ ...config, caCert: input.caCert || config.caCert }, unreadableCertificate),
    authorize: authorizer(config, context.secret),
    bytesPerSecond: input.bytesPerSecond,
    pace: paceOf(input.bytesPerSecond, context),
    report: reporter(context.progress),
    context,
  };
}

/** What a later attempt can go on with stays. A full disk gets its room back. */
function fateOfPart(error: unknown, signal: AbortSignal): "keep" | "discard" | "leave" {
  const { code } = (signal.aborted ? signal.reason : error) as { code?: string };
  if (signal.aborted) return code === "HOST_STOPPING" ? "leave" : code === "STEP_TIMEOUT" ? "keep" : "discard";
  return error instanceof PluginError && isPassing(error) && code !== "DOWNLOAD_DISK_FULL" ? "keep" : "discard";
}

function outputOf({ path, directory }: Destination, sizeBytes: number, digests: Record<string, string>): FetchOutput {
  return { path, directory, sizeBytes, digests };
}
