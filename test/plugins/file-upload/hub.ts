// Plays the hub for a device that uploads files: sends commands, hears requests and reports. All over MQTT.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "../../../host/sdk.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { Device, type DeviceOptions } from "../things/device.ts";

const shippedFolder = fileURLToPath(new URL("../../../workflows", import.meta.url));

export const shipped = (name: string) => JSON.parse(readFileSync(join(shippedFolder, `${name}.json`), "utf8"));

const documents = [
  "upload-files",
  "request-uploads",
  "cancel-uploads",
  "activate-uploads",
  "deactivate-uploads",
  "expire-uploads",
];

export interface LastUpload {
  correlationId: string;
  state: string;
  startTime: string;
  endTime: string;
  statusCode: string;
  message: string;
  progress: number;
  info: JsonObject;
}

export interface UploadRequest {
  correlationId: string;
  options: Record<string, string>;
}

export interface Answer {
  status: number;
  text: string;
  value?: { error: string; status: number; message: string };
}

export type HubOptions = Omit<Partial<DeviceOptions>, "config"> & {
  /** Of the plugin file-upload. */
  upload: JsonObject;
  /** Of the plugin things. */
  things?: JsonObject;
  embedded?: boolean;
};

export class Hub implements AsyncDisposable {
  readonly device: Device;
  #count = 0;

  private constructor(device: Device) {
    this.device = device;
  }

  static async start({
    upload,
    things = {},
    embedded = false,
    plugins = [],
    workflows,
    ...more
  }: HubOptions): Promise<Hub> {
    const device = await Device.start(embedded, {
      ...more,
      config: things,
      workflows: workflows ?? Object.fromEntries(documents.map((name) => [name, shipped(name)])),
      plugins: [...plugins, { plugin: "file-upload", config: upload }],
    });
    return new Hub(device);
  }

  /** Sends a command; resolves with what it is answered. */
  async command(operation: string, value?: unknown): Promise<Answer> {
    const requestId = `r${++this.#count}`;
    await this.send(operation, value, requestId);
    return await this.answer(requestId);
  }

  async send(operation: string, value?: unknown, requestId = `r${++this.#count}`): Promise<void> {
    await this.device.command(operation, value, { feature: "AutoUploadable", requestId, correlationId: requestId });
  }

  async answer(requestId: string): Promise<Answer> {
    const topic = new RegExp(`^command///res/${requestId}/(\\d+)$`);
    const found = () => this.device.on(topic)[0];
    const heard = await waitFor(`an answer to ${requestId}\n${this.device.host.log.slice(-4000)}`, found);
    const { value } = JSON.parse(heard.text);
    return { status: Number(topic.exec(heard.topic)![1]), text: heard.text, value };
  }

  /** Everything sent on `e` for a path of the feature, oldest first. */
  sent(path: string): unknown[] {
    return this.device.on("e").flatMap(({ text }) => {
      const envelope = JSON.parse(text);
      return envelope.path === `/features/AutoUploadable${path}` ? [envelope.value] : [];
    });
  }

  requestsOf(upload: string): UploadRequest[] {
    const all = this.sent("/outbox/messages/request") as UploadRequest[];
    return all.filter(({ correlationId }) => correlationId.startsWith(`${upload}#`));
  }

  async requests(upload: string, count: number): Promise<UploadRequest[]> {
    const words = `${count} requests of ${upload}\n${this.device.host.log.slice(-4000)}`;
    await waitFor(words, () => this.requestsOf(upload).length >= count, 120_000);
    const found = this.requestsOf(upload);
    assert.equal(found.length, count, JSON.stringify(found.slice(0, 20)));
    return found;
  }

  reportsOf(upload: string): LastUpload[] {
    const all = this.sent("/properties/lastUpload") as LastUpload[];
    return all.filter(({ correlationId }) => correlationId === upload);
  }

  /** The first report that says how the upload ended. */
  async end(upload: string, timeoutMs = 60_000): Promise<LastUpload> {
    const found = () => this.reportsOf(upload).find(({ state }) => state !== "UPLOADING");
    const words = () => `the end of ${upload}\n${this.device.host.log.slice(-6000)}`;
    return await waitFor(words(), found, timeoutMs).catch(() => {
      throw new Error(`waited in vain for ${words()}`);
    });
  }

  async progress(upload: string, percent: number): Promise<LastUpload> {
    const found = () => this.reportsOf(upload).find(({ progress }) => progress >= percent);
    return await waitFor(`${percent} % of ${upload}\n${this.device.host.log.slice(-4000)}`, found);
  }

  /** Triggers an upload, starts its files, so many, with these options, and waits for its end. */
  async upload(
    id: string,
    files: string | undefined,
    optionsOf: (request: UploadRequest) => Record<string, string>,
    count = 1,
  ): Promise<LastUpload> {
    const options = files === undefined ? {} : { "upload.files": files };
    const { status, text } = await this.command("trigger", { correlationId: id, options });
    assert.equal(status, 204, text);
    for (const request of await this.requests(id, count)) await this.startOne(request, optionsOf(request));
    return await this.end(id);
  }

  async startOne({ correlationId }: UploadRequest, options: Record<string, string>): Promise<void> {
    const { status, text } = await this.command("start", { correlationId, options });
    assert.equal(status, 204, text);
  }

  /** What the log says of a code. */
  logged(code: string): Record<string, unknown>[] {
    return this.device.host.lines().filter((line) => line.code === code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.device[Symbol.asyncDispose]();
  }
}

export const nameOf = ({ options }: UploadRequest) => basename(options["file.path"]!);
