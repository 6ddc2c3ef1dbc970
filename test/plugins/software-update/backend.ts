// A backend as one is written for Eclipse Kanto: it speaks MQTT and HTTP to a device, and nothing else.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "../../../host/sdk.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { type ArtifactServer, serveArtifacts, sha256 } from "../../support/artifact-server.ts";
import { Device, type DeviceOptions, gateway } from "../things/device.ts";

export const shipped = (name: string) =>
  JSON.parse(
    readFileSync(fileURLToPath(new URL(`../../../workflows/${name}.json`, import.meta.url)), "utf8"),
  ) as JsonObject;

const documents = ["software-install", "software-download", "software-remove", "software-cancel"];

export interface BackendOptions extends Partial<DeviceOptions> {
  embedded?: boolean;
  /** What the HTTP server offers. */
  files?: Record<string, string | Buffer>;
  /** Of the plugin software-update. */
  settings?: JsonObject;
}

/** A status on its way: what the device reports as `lastOperation` or `lastFailedOperation`. */
export interface Status {
  property: "lastOperation" | "lastFailedOperation";
  value: {
    correlationId: string;
    status: string;
    softwareModule?: { name: string; version: string; path?: string };
    progress?: number;
    message?: string;
    statusCode?: string;
  };
}

export interface GivenArtifact {
  filename: string;
  content: string | Buffer;
  /** Where it is; default: at this backend's server under its own name. */
  url?: string;
  protocol?: string;
  size?: number;
  checksums?: Record<string, string>;
}

export class Backend implements AsyncDisposable {
  readonly device: Device;
  readonly server: ArtifactServer;
  readonly files: Record<string, string | Buffer>;

  private constructor(device: Device, server: ArtifactServer, files: Record<string, string | Buffer>) {
    this.device = device;
    this.server = server;
    this.files = files;
  }

  static async start(options: BackendOptions = {}): Promise<Backend> {
    const { embedded = true, files = {}, settings = {}, plugins = [], workflows, ...more } = options;
    const server = await serveArtifacts(files);
    const device = await Device.start(embedded, {
      ...more,
      workflows: workflows ?? Object.fromEntries(documents.map((name) => [name, shipped(name)])),
      plugins: [
        ...["download", "archive", "files"].map((plugin) => ({ plugin })),
        { plugin: "software-update", config: settings },
        ...plugins,
      ],
    }).catch(async (error) => {
      await server[Symbol.asyncDispose]();
      throw error;
    });
    return new Backend(device, server, files);
  }

  /** An artifact as it stands in a command; it is offered from now on. */
  artifact({ filename, content, url, protocol = "HTTP", size, checksums }: GivenArtifact): JsonObject {
    if (url === undefined) this.files[filename] = content;
    return {
      filename,
      size: size ?? Buffer.byteLength(content),
      checksums: checksums ?? { SHA256: sha256(content) },
      download: { [protocol]: { url: url ?? `${this.server.url}/${encodeURIComponent(filename)}` } },
    };
  }

  /** A module of artifacts `name.version.sh` and the like, each under a name of its own at the server. */
  module(name: string, artifacts: GivenArtifact[], metaData?: Record<string, string>): JsonObject {
    return {
      softwareModule: { name, version: "1.0" },
      artifacts: artifacts.map((given) => {
        const served = `${name}-${given.filename}`;
        if (given.url === undefined) this.files[served] = given.content;
        return this.artifact({ url: `${this.server.url}/${encodeURIComponent(served)}`, ...given });
      }),
      ...(metaData === undefined ? {} : { metaData }),
    };
  }

  /** One artifact, a script that installs it. */
  scripted(name: string, script: string): JsonObject {
    return this.module(name, [{ filename: "install.sh", content: script }], { "artifact-type": "plain" });
  }

  async order(operation: string, correlationId: string, value: object): Promise<void> {
    const requestId = `r-${correlationId}`;
    await this.device.command(
      operation,
      { correlationId, ...value },
      { feature: "SoftwareUpdatable", requestId, correlationId: `h-${correlationId}` },
    );
  }

  async install(correlationId: string, ...softwareModules: JsonObject[]): Promise<void> {
    await this.order("install", correlationId, { softwareModules });
  }

  async download(correlationId: string, ...softwareModules: JsonObject[]): Promise<void> {
    await this.order("download", correlationId, { softwareModules });
  }

  /** The texts of all reports of the feature since then, but for the progress of what goes on. */
  texts(since: number): string[] {
    const isOnTheWay = /"status":"(?:DOWNLOADING|INSTALLING)".*"progress":[1-9]\d?[,}]/;
    return this.device.heard
      .slice(since)
      .filter((heard) => heard.topic === "e" && !isOnTheWay.test(heard.text))
      .map(({ text }) => text);
  }

  /** All that was reported of an operation, in the order in which it came. */
  statuses(correlationId: string): Status[] {
    return this.device.on("e").flatMap(({ text }) => {
      const { path, value } = JSON.parse(text) as { path: string; value: Status["value"] };
      const [, property] = /\/properties\/status\/(last(?:Failed)?Operation)$/.exec(path) ?? [];
      return property !== undefined && value.correlationId === correlationId
        ? [{ property: property as Status["property"], value }]
        : [];
    });
  }

  /** The same in words, without the progress of what goes on: `a STARTED`, `a !FINISHED_ERROR` for the failed one. */
  sequence(correlationId: string): string[] {
    const words = this.statuses(correlationId).map(({ property, value }) => {
      const { status, softwareModule, progress, message, statusCode } = value;
      const mark = property === "lastFailedOperation" ? "!" : "";
      const said = [progress, statusCode, message].filter((part) => part !== undefined);
      return [softwareModule?.name, `${mark}${status}`, ...said].filter((part) => part !== undefined).join(" ");
    });
    return words.filter((line) => !/ (?:DOWNLOADING|INSTALLING) [1-9]\d?$/.test(line));
  }

  /** Waits until so many modules have come to an end. */
  async finished(correlationId: string, count = 1): Promise<string[]> {
    const isEnd = ({ property, value }: Status) => property === "lastOperation" && value.status.startsWith("FINISHED_");
    try {
      await waitFor(
        `the end of ${count} modules of ${correlationId}`,
        () =>
          new Set(
            this.statuses(correlationId)
              .filter(isEnd)
              .map((status) => JSON.stringify(status)),
          ).size >= count,
        60_000,
      );
    } catch (cause) {
      const seen = this.sequence(correlationId).join("\n");
      throw new Error(`${(cause as Error).message}; there is\n${seen}\n${this.device.host.log.slice(-4000)}`, {
        cause,
      });
    }
    return this.sequence(correlationId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.device[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

/** What is on its way when the host dies, or the connection, may be sent once more; nothing else may. */
export const once = (lines: string[]) => lines.filter((line, index) => line !== lines[index - 1]);

const topic = gateway.deviceId.replace(":", "/");

/** The text of a message that changes a property of the feature, to the byte. */
export const modified = (path: string, value: unknown) =>
  JSON.stringify({
    topic: `${topic}/things/twin/commands/modify`,
    headers: { "response-required": false },
    path: `/features/SoftwareUpdatable${path}`,
    value,
  });

/** The texts of these statuses of a module, to the byte: each a status and what follows it. */
export const statusTexts = (
  correlationId: string,
  name: string,
  ...statuses: [status: string, more?: object, property?: string][]
) =>
  statuses.map(([status, more = {}, property = "lastOperation"]) =>
    modified(`/properties/status/${property}`, {
      correlationId,
      status,
      softwareModule: { name, version: "1.0" },
      ...more,
    }),
  );

/** What every module goes through before its script, if its size is known. */
export const fetched = [
  ["STARTED"],
  ["DOWNLOADING", { progress: 0 }],
  ["DOWNLOADING", { progress: 100 }],
  ["DOWNLOADED", { progress: 100 }],
] as const satisfies [string, object?][];

export const answerText = (operation: string, correlationId: string, status = 204, value?: object) =>
  JSON.stringify({
    topic: `${topic}/things/live/messages/${operation}`,
    headers: {
      ...(value === undefined ? {} : { "content-type": "application/json" }),
      "correlation-id": correlationId,
      "response-required": false,
    },
    path: `/features/SoftwareUpdatable/outbox/messages/${operation}`,
    value,
    status,
  });
