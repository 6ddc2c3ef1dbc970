import { PluginError, parseDuration, type Step, type StepContext } from "gantry";
import { Checksums } from "../checksums.ts";
import {
  alreadyThere,
  type Destination,
  type DestinationOptions,
  discardPart,
  findDestination,
  makeDestination,
  putInPlace,
} from "../destination.ts";
import { parseUrl, shown } from "../failures.ts";
import type { Config, FetchInput, FetchOutput } from "../plugin.types.ts";
import { receive } from "../receive.ts";
import { reporter } from "../reports.ts";
import { openUrl } from "../request.ts";
import { inTurn } from "../turns.ts";

export function fetch(config: Config): Step<FetchInput, FetchOutput> {
  const target = ({ url, directory, filename }: FetchInput): DestinationOptions => ({
    url: parseUrl(url),
    directory,
    filename,
    allowedDirectories: config.allowedDirectories,
  });
  return {
    plan: ({ url, directory, filename }) =>
      `downloads ${shown(parseUrl(url))} to ${directory}${filename === undefined ? "" : `/${filename}`}`,

    async check(input, { signal }) {
      const checksums = new Checksums(input);
      const destination = await findDestination(target(input));
      const found = await alreadyThere(destination.path, input.sizeBytes, checksums, signal);
      return found && outputOf(destination, found.sizeBytes, found.digests);
    },

    async run(input, context) {
      const checksums = new Checksums(input);
      const destination = await makeDestination(target(input));
      return inTurn(destination.path, context.signal, async (waited) => {
        // What the one before has made may be this very file. Without one before, `check` has just been asked.
        const found = waited
          ? await alreadyThere(destination.path, input.sizeBytes, checksums, context.signal)
          : undefined;
        if (found !== undefined) return outputOf(destination, found.sizeBytes, found.digests);
        try {
          const { sizeBytes, digests } = await download(input, destination, checksums, config, context);
          await putInPlace(destination);
          return outputOf(destination, sizeBytes, digests);
        } catch (error) {
          await discardPart(destination);
          throw error;
        }
      });
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
  const url = parseUrl(input.url);
  const where = shown(url);
  if (wanted !== undefined && wanted > config.maxSizeBytes)
    throw new PluginError(
      "DOWNLOAD_TOO_LARGE",
      `${where} has ${wanted} bytes, and at most ${config.maxSizeBytes} are accepted`,
      { details: { limitBytes: config.maxSizeBytes } },
    );
  const silenceMs = parseDuration(config.silenceTimeout)!;
  const response = await openUrl(url, { caCert: input.caCert ?? config.caCert, silenceMs, signal });
  const digester = checksums.digester();
  const report = reporter(progress);
  const sizeBytes = await receive(response, {
    path: partPath,
    limitBytes: wanted ?? config.maxSizeBytes,
    digester,
    signal,
    silenceMs,
    shown: where,
    onBytes: (receivedBytes, expectedBytes) => report(receivedBytes, expectedBytes ?? wanted),
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
