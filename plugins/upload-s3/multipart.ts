// A file in parts. What has arrived stays with the server under an upload id, which is remembered; after an interruption
// the server is asked which parts it has.

import type { CompletedPart, Part } from "@aws-sdk/client-s3";
import { PluginError, type StepContext } from "gantry";
import { type UploadPart, uploadBody } from "gantry/toolkit/uploads";
import { isFinal, isNoSuchUpload, serverFailure } from "./failures.ts";
import { attributesOf, checksumsOf, nameOf, placeOf, type Stored, type Storing } from "./object.ts";

interface Begun {
  uploadId: string;
  identity: string;
  partBytes: number;
}

export interface MultipartOptions extends Pick<StepContext, "signal" | "checkpoint" | "lastCheckpoint"> {
  partBytes: number;
  parallelParts: number;
}

/** What the server allows. */
const maxParts = 10_000;
const abortWithinMs = 5000;

export async function putMultipart(storing: Storing, options: MultipartOptions): Promise<Stored> {
  const { upload } = storing;
  const multipart = new Multipart(storing, options);
  const arrived = await multipart.begin();
  try {
    const parts = await multipart.send(arrived);
    await upload.check();
    return await multipart.complete(parts);
  } catch (error) {
    const failure = serverFailure(error, nameOf(storing.input));
    // Parts that nobody comes back for cost money. Those of an attempt that may be repeated are what it goes on with.
    if (isFinal(failure) || isCancelled(options.signal)) await multipart.abandon();
    throw failure;
  }
}

/** And not only interrupted. */
const isCancelled = (signal: AbortSignal) =>
  signal.aborted && (signal.reason as { retryable?: boolean }).retryable === false;

class Multipart {
  readonly #storing: Storing;
  readonly #options: MultipartOptions;
  #begun!: Begun;
  #sentBytes = 0;

  constructor(storing: Storing, options: MultipartOptions) {
    this.#storing = storing;
    this.#options = options;
  }

  /** Gives the parts that have arrived before, by number. */
  async begin(): Promise<Map<number, Part>> {
    const { upload, input } = this.#storing;
    const { lastCheckpoint, checkpoint } = this.#options;
    const before = lastCheckpoint as Begun | undefined;
    if (before !== undefined) {
      this.#begun = before;
      const arrived = before.identity === upload.identity ? await this.#list() : undefined;
      if (arrived !== undefined) return arrived;
      await this.abandon();
    }
    const { CreateMultipartUploadCommand } = await import("./sdk.ts");
    const { checksumAlgorithm } = input;
    const { UploadId } = await this.#ask((client, abortSignal) => {
      const command = new CreateMultipartUploadCommand({
        ...placeOf(input),
        ...attributesOf(input),
        ...(checksumAlgorithm === "none" ? {} : { ChecksumAlgorithm: checksumAlgorithm }),
      });
      return client.send(command, { abortSignal });
    });
    // Compressed it may be a little larger than the file.
    const atLeast = Math.ceil((upload.sizeBytes * 1.001) / maxParts);
    const partBytes = Math.max(this.#options.partBytes, atLeast);
    this.#begun = { uploadId: UploadId!, identity: upload.identity, partBytes };
    await checkpoint({ ...this.#begun });
    return new Map();
  }

  /** Undefined where the upload is gone. */
  async #list(): Promise<Map<number, Part> | undefined> {
    const { ListPartsCommand } = await import("./sdk.ts");
    const arrived = new Map<number, Part>();
    const about = { ...placeOf(this.#storing.input), UploadId: this.#begun.uploadId };
    try {
      for (let after: string | undefined; ; ) {
        const marker = after === undefined ? {} : { PartNumberMarker: after };
        const page = await this.#ask((client, abortSignal) =>
          client.send(new ListPartsCommand({ ...about, ...marker }), { abortSignal }),
        );
        for (const part of page.Parts ?? []) arrived.set(part.PartNumber!, part);
        if (page.IsTruncated !== true || page.NextPartNumberMarker === undefined) return arrived;
        after = page.NextPartNumberMarker;
      }
    } catch (error) {
      if (isNoSuchUpload(error)) return undefined;
      throw error;
    }
  }

  /** Several at the same time; on a failure none is begun any more, and those under way may still arrive. */
  async send(arrived: Map<number, Part>): Promise<CompletedPart[]> {
    const { upload } = this.#storing;
    const done: CompletedPart[] = [];
    const underWay = new Set<Promise<void>>();
    let failed: { error: unknown } | undefined;
    for await (const part of upload.parts(this.#begun.partBytes)) {
      this.#sentBytes += part.lengthBytes;
      const before = arrived.get(part.number);
      if (before !== undefined && before.Size === part.lengthBytes) {
        upload.skip(part);
        done.push(completed(part, before));
        continue;
      }
      while (underWay.size >= this.#options.parallelParts) await Promise.race(underWay);
      if (failed !== undefined) break;
      const sending: Promise<void> = this.#sendPart(part)
        .then(
          (sent) => void done.push(sent),
          (error) => {
            failed ??= { error };
          },
        )
        .finally(() => underWay.delete(sending));
      underWay.add(sending);
    }
    await Promise.all(underWay);
    if (failed !== undefined) throw failed.error;
    return done.sort((one, other) => one.PartNumber! - other.PartNumber!);
  }

  async #sendPart(part: UploadPart): Promise<CompletedPart> {
    const { client, upload, input } = this.#storing;
    const { UploadPartCommand } = await import("./sdk.ts");
    const checksums = await checksumsOf(part, input);
    const about = { ...placeOf(input), UploadId: this.#begun.uploadId, PartNumber: part.number };
    const answer = await upload.exchange(part, (body, abortSignal) => {
      const command = new UploadPartCommand({
        ...about,
        ...checksums,
        ContentLength: part.lengthBytes,
        Body: uploadBody(body),
      });
      return client.send(command, { abortSignal });
    });
    // A server that knows checksums gives them back, and wants them at the end; another one would stumble over them.
    return completed(part, answer);
  }

  async complete(parts: CompletedPart[]): Promise<Stored> {
    const { CompleteMultipartUploadCommand } = await import("./sdk.ts");
    const about = { ...placeOf(this.#storing.input), UploadId: this.#begun.uploadId };
    const { ETag } = await this.#ask((client, abortSignal) =>
      client.send(new CompleteMultipartUploadCommand({ ...about, MultipartUpload: { Parts: parts } }), { abortSignal }),
    );
    if (ETag === undefined)
      throw new PluginError("UPLOAD_S3_SERVER_ERROR", "the server did not put the parts together");
    return { etag: ETag, sentBytes: this.#sentBytes };
  }

  /** As well as it goes: it is no matter of the upload any more. */
  async abandon(): Promise<void> {
    const { AbortMultipartUploadCommand } = await import("./sdk.ts");
    const { client, input } = this.#storing;
    const command = new AbortMultipartUploadCommand({ ...placeOf(input), UploadId: this.#begun.uploadId });
    await client.send(command, { abortSignal: AbortSignal.timeout(abortWithinMs) }).catch(() => {});
  }

  #ask<Answer>(ask: (client: Storing["client"], signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const { upload, client } = this.#storing;
    return upload.exchange(undefined, (_, signal) => ask(client, signal));
  }
}

function completed(part: UploadPart, { ETag, ChecksumSHA256, ChecksumCRC32 }: Part): CompletedPart {
  return {
    PartNumber: part.number,
    ETag,
    ...(ChecksumSHA256 === undefined ? {} : { ChecksumSHA256 }),
    ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }),
  } as CompletedPart;
}
