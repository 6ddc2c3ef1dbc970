// A module of a command, made ready for the steps that carry it out. Nothing is touched here.

import { join } from "node:path";
import { PluginError } from "gantry";
import { isBaseName } from "./folders.ts";
import type { Artifact, Config, Module } from "./plugin.types.ts";

/** A module as it came; the workflow's `inputs` have seen to the kinds of its members. */
export interface GivenModule {
  softwareModule?: { name?: string | null; version?: string | null } | null;
  artifacts?: GivenArtifact[] | null;
  metaData?: Record<string, string | null> | null;
}

interface GivenArtifact {
  filename?: string | null;
  size?: number | null;
  checksums?: Record<string, string | null> | null;
  download?: Record<string, { url?: string | null } | null> | null;
}

/** In the order in which they count. */
const protocols = ["HTTPS", "HTTP", "FILE"];
const algorithms = ["SHA256", "SHA1", "MD5"];

const installScript = "install.sh";

export type Names = Module["id"];

export function namesOf(given: GivenModule, index: number, correlationId: string | null | undefined): Names {
  const { name, version } = given.softwareModule ?? {};
  return { index, name: name ?? "", version: version ?? "", correlationId: correlationId ?? "" };
}

/** `directory` is that of the operation. Throws SOFTWARE_UPDATE_ARTIFACT_INCOMPLETE. */
export function stageModule(given: GivenModule, id: Names, directory: string, config: Config): Module {
  const metaData = given.metaData ?? {};
  const type = metaData["artifact-type"] || config.artifactType;
  const folders = { artifacts: join(directory, String(id.index)), encrypted: join(directory, `${id.index}.encrypted`) };
  const artifacts = (given.artifacts ?? []).map((artifact) => stageArtifact(artifact, metaData, type, folders));
  let sizeBytes = 0;
  for (const artifact of artifacts) {
    artifact.offsetBytes = sizeBytes;
    if (!artifact.inPlace) sizeBytes += Math.max(0, artifact.sizeBytes);
  }
  const archive = type === "archive" ? archiveOf(artifacts, folders.artifacts) : null;
  return {
    id,
    type,
    directory: folders.artifacts,
    workDirectory: archive === null ? folders.artifacts : join(directory, `${id.index}.content`),
    archive,
    scriptArtifact: artifacts.findIndex(({ filename, inPlace }) => inPlace && filename === installScript),
    command: commandOf(config.install),
    dependencies: metaData["installed-deps"] || "installed-deps",
    sizeBytes,
    isLocal: artifacts.every(({ inPlace }) => inPlace),
    filenames: artifacts.map(({ filename }) => filename),
    artifacts,
  };
}

function stageArtifact(
  given: GivenArtifact,
  metaData: Record<string, string | null>,
  type: string,
  folders: { artifacts: string; encrypted: string },
): Artifact {
  const filename = given.filename ?? "";
  const protocol = protocols.find((name) => (given.download?.[name] ?? null) !== null);
  const algorithm = algorithms.find((name) => given.checksums?.[name]);
  if (protocol === undefined) throw incomplete(filename, `no link of ${protocols.join(", ")}`);
  if (algorithm === undefined) throw incomplete(filename, `no checksum of ${algorithms.join(", ")}`);
  const link = given.download![protocol]!.url ?? "";
  const isFile = protocol === "FILE";
  const inPlace = isFile && type !== "archive" && !isToBeCopied(filename, metaData["copy-artifacts"] ?? "");
  const key = (!inPlace && metaData["AES256.key"]) || null;
  return {
    filename,
    url: isFile ? null : link,
    file: isFile ? link : null,
    inPlace,
    directory: key === null ? folders.artifacts : folders.encrypted,
    sizeBytes: given.size ?? 0,
    offsetBytes: 0,
    checksums: { [algorithm]: given.checksums![algorithm]! },
    key,
    iv: key === null ? null : metaData["AES256.iv"] || null,
    format: (metaData["AES256.format"] ?? "").toLowerCase() === "hex" ? "hex" : "base64",
  };
}

function isToBeCopied(filename: string, copyArtifacts: string): boolean {
  return copyArtifacts === "*" || copyArtifacts.split(/[,:]/).includes(filename);
}

/** A single archive; one that is none by its name is left as it is. */
function archiveOf(artifacts: Artifact[], directory: string): string | null {
  const [only, ...more] = artifacts;
  const isArchive = only !== undefined && more.length === 0 && /\.(?:zip|tar\.gz)$/.test(only.filename);
  return isArchive && isBaseName(only.filename) ? join(directory, only.filename) : null;
}

function commandOf(install: string[]): string[] {
  const [program, ...args] = install.length === 0 ? [installScript] : (install as [string, ...string[]]);
  return program.endsWith(".sh") ? ["/bin/sh", program, ...args] : [program, ...args];
}

function incomplete(filename: string, why: string): PluginError {
  return new PluginError(
    "SOFTWARE_UPDATE_ARTIFACT_INCOMPLETE",
    `the artifact ${JSON.stringify(filename.slice(0, 300))} has ${why}`,
  );
}
