// gantry doctor: what is missing on this machine, in the data folder and for this configuration, and how to get it.

import { totalmem } from "node:os";
import { brokerOf, checkBroker, checkPort } from "../doctor/broker.ts";
import { checkDataFolder } from "../doctor/data-folder.ts";
import { checkDocuments } from "../doctor/documents.ts";
import type { Finding } from "../doctor/finding.ts";
import { checkHolder, type RunningHost } from "../doctor/holder.ts";
import {
  checkClock,
  checkFileLimit,
  checkMemory,
  checkNode,
  checkPlatform,
  checkTimeZone,
  readLimits,
} from "../doctor/machine.ts";
import { checkPlugins } from "../doctor/plugins.ts";
import { checkSecrets, environmentOf } from "../doctor/secrets.ts";
import { type HostDocuments, readHost } from "../loading/read-host.ts";
import { plain } from "../terminal/plain.ts";

export interface DoctorOptions {
  config: string;
  data: string;
  json: boolean;
}

/** Gives 1 where something is missing; a warning is none. */
export async function doctor({ config, data, json }: DoctorOptions): Promise<number> {
  const findings = [...checkMachine(), ...(await checkFolderAndDocuments(data, readHost(config)))];
  if (json) for (const finding of findings) process.stdout.write(`${JSON.stringify(finding)}\n`);
  else process.stdout.write(findings.map(line).join(""));
  return findings.some(({ state }) => state === "missing") ? 1 : 0;
}

function checkMachine(): Finding[] {
  return [
    checkNode(process.versions.node),
    checkPlatform(process.platform, process.arch),
    checkClock(Date.now()),
    checkTimeZone(new Intl.DateTimeFormat().resolvedOptions().timeZone, process.env.TZ),
    checkMemory(Math.min(process.constrainedMemory() || totalmem(), totalmem())),
    checkFileLimit(readLimits()),
  ];
}

async function checkFolderAndDocuments(data: string, documents: HostDocuments): Promise<Finding[]> {
  const { finding, host } = await checkHolder(data);
  const environment = host === undefined ? undefined : environmentOf(host.pid);
  return [
    ...checkDataFolder(data),
    finding,
    checkDocuments(documents),
    ...checkSecrets(documents, environment ?? process.env, environment !== undefined),
    ...(await checkMqtt(documents, host)),
    ...(host === undefined ? [] : checkPlugins(host.plugins)),
  ];
}

async function checkMqtt(documents: HostDocuments, host: RunningHost | undefined): Promise<Finding[]> {
  const settings = brokerOf(documents);
  if (settings === undefined) return [];
  if (settings.broker !== "embedded") return [await checkBroker(settings)];
  const { port = 0 } = settings;
  // Where the host runs, its own broker has the port.
  return host !== undefined || port === 0 ? [] : [await checkPort(port)];
}

const marks = { good: "✓", warning: "!", missing: "✗" };

function line({ about, state, message, remedy }: Finding): string {
  return `${marks[state]} ${about}: ${plain(message)}\n${remedy === undefined ? "" : `    ${remedy}\n`}`;
}
