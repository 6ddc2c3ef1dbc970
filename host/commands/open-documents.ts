import { type HostDocuments, readHost } from "../loading/read-host.ts";
import { createLog, type HostLog } from "../log.ts";

/**
 * Reads what a host starts from and logs every fault. A broken workflow or plugin is left out; undefined when nothing
 * can be started.
 */
export function openDocuments(
  config: string,
  logLevel: string,
): { documents: HostDocuments; log: HostLog } | undefined {
  const log = createLog({ level: logLevel });
  const documents = readHost(config);
  for (const fault of documents.faults) {
    const { file, line, column, pointer, code, message, suggestion } = fault;
    const facts = { file, line, column, pointer, code, ...(suggestion === undefined ? {} : { suggestion }) };
    if (fault.severity === "note") log.info(message, facts);
    else log.error(message, facts);
  }
  if (documents.configuration !== undefined) return { documents, log };
  log.error("nothing can be started from this configuration", { file: config, code: "CONFIGURATION_INVALID" });
  return undefined;
}
