import { PluginError, parseDuration, type Step, type StepContext } from "gantry";
import { Checksums } from "../checksums.ts";
import { alreadyThere, type Destination, discardPart, openDestination, putInPlace } from "../destination.ts";
import { shown } from "../failures.ts";
import type { Config, FetchInput, FetchOutput } from "../plugin.types.ts";
import { receive } from "../receive.ts";
import { openUrl } from "../request.ts";

export function fetch(config: Config): Step<FetchInput, FetchOutput> {
  const prepare = async (input: FetchInput) => ({
    checksums: new Checksums(input),
    destination: await openDestination(input, config.allowedDirectories),
  });
  return {
    plan: ({ url, directory, filename }) =>
      `downloads ${shown(new URL(url))} to ${directory}${filename === undefined ? "" : `/${filename}`}`,

    async check(input) {
      const { checksums, destination } = await prepare(input);
      const found = await alreadyThere(destination.path, input.sizeBytes, checksums);
      return found && outputOf(destination, found.sizeBytes, found.digests);
    },

    async run(input, context) {
      const { checksums, destination } = await prepare(input);
      try {
        const { sizeBytes, digests } = await download(input, destination, checksums, config, context);
        await putInPlace(destination);
        return outputOf(destination, sizeBytes, digests);
      } catch (error) {
        await discardPart(destination);
        throw error;
      }
    },
  };
}

async function download(
  input: FetchInput,
  { partPath }: Destination,
  checksums: Checksums,
  config: Config,
  { signal, progress }: StepContext,
) {
  const wanted = input.sizeBytes > 0 ? input.sizeBytes : undefined;
  const where = shown(new URL(input.url));
  if (wanted !== undefined && wanted > config.maxSizeBytes)
    throw new PluginError(
      "DOWNLOAD_TOO_LARGE",
      `${where} has ${wanted} bytes, and at most ${config.maxSizeBytes} are accepted`,
    );
  const silenceMs = parseDuration(config.silenceTimeout)!;
  const response = await openUrl(input.url, { caCert: input.caCert ?? config.caCert, silenceMs, signal });
  const digester = checksums.digester();
  let lastPercent = -1;
  const sizeBytes = await receive(response, {
    path: partPath,
    limitBytes: wanted ?? config.maxSizeBytes,
    digester,
    signal,
    shown: where,
    onBytes(received, expected = wanted) {
      const percent = expected === undefined || expected === 0 ? 0 : Math.floor((received / expected) * 100);
      if (percent === lastPercent) return;
      lastPercent = percent;
      progress({ percent, details: { bytes: received, ...(expected === undefined ? {} : { totalBytes: expected }) } });
    },
  });
  if (wanted !== undefined && sizeBytes < wanted)
    throw new PluginError("DOWNLOAD_SIZE_MISMATCH", `${where} has ${sizeBytes} bytes instead of ${wanted}`, {
      details: { sizeBytes },
    });
  const digests = digester.digests();
  const mismatch = checksums.mismatch(digests);
  if (mismatch !== undefined) {
    const details = { algorithm: mismatch, actual: digests[mismatch]! };
    throw new PluginError("DOWNLOAD_CHECKSUM_MISMATCH", `${where} has another ${mismatch} checksum than expected`, {
      details,
    });
  }
  return { sizeBytes, digests };
}

function outputOf({ path, directory }: Destination, sizeBytes: number, digests: Record<string, string>): FetchOutput {
  return { path, directory, sizeBytes, digests };
}
