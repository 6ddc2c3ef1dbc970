// The secrets that documents name, looked for where the host looks; none is read.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostDocuments } from "../loading/read-host.ts";
import type { Json } from "../sdk.ts";
import { isSecretReference } from "../secrets.ts";
import { type Finding, good, missing, warning } from "./finding.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of a process; undefined where it is another user's, or there is no /proc. */
export function environmentOf(pid: number): Environment | undefined {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return Object.fromEntries(variables.map((text) => [text.split("=", 1)[0]!, text.slice(text.indexOf("=") + 1)]));
  } catch {
    return undefined;
  }
}

/**
 * One finding for each secret that an enabled plugin or an active workflow names. `ofHost`: the environment is that of
 * the running host; otherwise it is this command's own, and what is not there may yet be given to the host.
 */
export function checkSecrets(
  { plugins, workflows }: Pick<HostDocuments, "plugins" | "workflows">,
  environment: Environment,
  ofHost: boolean,
): Finding[] {
  const places = [
    ...plugins.map(({ config }) => config),
    ...workflows.map(({ document }) => document as unknown as Json),
  ];
  return [...new Set(places.flatMap(secretsIn))].map((name) => checkSecret(name, environment, ofHost));
}

function checkSecret(name: string, environment: Environment, ofHost: boolean): Finding {
  const about = `secret ${name}`;
  if (environment[`GANTRY_SECRET_${name}`] || environment[name]) return good(about, "in the environment");
  const credentials = environment.CREDENTIALS_DIRECTORY;
  if (credentials && existsSync(join(credentials, name))) return good(about, "among the credentials");
  const remedy = `Set GANTRY_SECRET_${name} where the host runs, or LoadCredential=${name}:... in its systemd unit.`;
  if (ofHost) return missing(about, `the running host has no ${name}`, remedy);
  return warning(about, `${name} is not in this environment; the host needs it in its own`, remedy);
}

function secretsIn(value: Json): string[] {
  if (isSecretReference(value)) return [value.$secret];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(secretsIn);
}
