// gantry doctor: what is missing on this machine, in the data folder and for this configuration, and how to get it.

import { brokerOf, checkBroker, checkDocuments, checkPort, checkSecrets } from "../doctor/configuration.ts";
import { checkHolder, checkPrivate, checkSoundness, checkSpace, checkWritable } from "../doctor/data-folder.ts";
import type { Finding } from "../doctor/finding.ts";
import { checkClock, checkFileLimit, checkNode, checkTimeZone, readLimits } from "../doctor/machine.ts";
import { type HostDocuments, readHost } from "../loading/read-host.ts";
import { plain } from "../terminal/plain.ts";

export interface DoctorOptions {
  config: string;
  data: string;
  json: boolean;
}

/** Gives 1 where something is missing; a warning is none. */
export async function doctor({ config, data, json }: DoctorOptions): Promise<number> {
  const documents = readHost(config);
  const holder = await checkHolder(data);
  const findings = [
    ...[checkNode(process.versions.node), checkClock(Date.now())],
    ...[
      checkTimeZone(new Intl.DateTimeFormat().resolvedOptions().timeZone, process.env.TZ),
      checkFileLimit(readLimits()),
    ],
    ...[checkWritable(data), checkPrivate(data), checkSpace(data), checkSoundness(data), holder],
    checkDocuments(documents),
    ...(await checkSecrets(documents)),
    ...(await checkMqtt(documents, holder)),
  ];
  if (json) for (const finding of findings) process.stdout.write(`${JSON.stringify(finding)}\n`);
  else process.stdout.write(findings.map(line).join(""));
  return findings.some(({ state }) => state === "missing") ? 1 : 0;
}

async function checkMqtt(documents: HostDocuments, holder: Finding): Promise<Finding[]> {
  const settings = brokerOf(documents);
  if (settings === undefined) return [];
  if (settings.broker !== "embedded") return [await checkBroker(settings.broker)];
  // Where the host runs, its own broker has the port.
  return holder.message.startsWith("runs") || settings.port === 0 ? [] : [await checkPort(settings.port)];
}

const marks = { good: "✓", warning: "!", missing: "✗" };

function line({ about, state, message, remedy }: Finding): string {
  return `${marks[state]} ${about}: ${plain(message)}\n${remedy === undefined ? "" : `    ${remedy}\n`}`;
}
