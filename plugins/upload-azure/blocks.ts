// A file in blocks. What has arrived stays with the server for a week, uncommitted, under ids that say of which content
// it is; at the end the blocks are made the blob.

import { createHash } from "node:crypto";
import { PluginError, type StepContext } from "gantry";
import { type UploadPart, uploadBody } from "gantry/toolkit/uploads";
import { ArrivedBlocks } from "./arrived.ts";
import { type Stored, type Storing, typeOf } from "./blob.ts";

export interface BlocksOptions extends Pick<StepContext, "checkpoint" | "lastCheckpoint"> {
  blockBytes: number;
  parallelBlocks: number;
}

/** What the server allows. */
const maxBlocks = 50_000;

export async function putBlocks(storing: Storing, options: BlocksOptions): Promise<Stored> {
  const { upload, client, input } = storing;
  const { blockBytes, checkpoint, lastCheckpoint } = options;
  if (upload.sizeBytes > blockBytes * maxBlocks)
    throw new PluginError("UPLOAD_AZURE_TOO_LARGE", `${input.path} has more than ${maxBlocks} blocks`);
  const ids = new BlockIds(`${upload.identity}-${blockBytes}`);
  const arrived = new ArrivedBlocks(ids.content, lastCheckpoint);
  if (!arrived.isEmpty) await arrived.ask(client, upload, (id) => ids.numberOf(id));
  const { count, sentBytes } = await sendBlocks(storing, options, ids, arrived);
  const md5 = input.checksum ? await upload.digest("md5") : undefined;
  await upload.check();
  const all = Array.from({ length: count }, (_, index) => ids.of(index + 1));
  try {
    const { etag = "" } = await upload.exchange(undefined, (_, abortSignal) =>
      client.commitBlockList(all, {
        abortSignal,
        blobHTTPHeaders: { ...typeOf(input), ...(md5 === undefined ? {} : { blobContentMD5: md5 }) },
      }),
    );
    return { etag, sentBytes };
  } catch (error) {
    if ((error as { code?: string }).code === "InvalidBlockList") {
      arrived.forget();
      await checkpoint(arrived.checkpoint());
    }
    throw error;
  }
}

/** Several at the same time; on a failure none is begun any more, and those under way may still arrive. */
async function sendBlocks(
  { upload, client, input }: Storing,
  { blockBytes, parallelBlocks, checkpoint }: BlocksOptions,
  ids: BlockIds,
  arrived: ArrivedBlocks,
): Promise<{ count: number; sentBytes: number }> {
  const underWay = new Set<Promise<void>>();
  let failed: { error: unknown } | undefined;
  let [count, sentBytes] = [0, 0];
  const send = async (part: UploadPart) => {
    const md5 = input.checksum ? await part.digest("md5") : undefined;
    await upload.exchange(part, (body, abortSignal) =>
      client.stageBlock(ids.of(part.number), uploadBody(body), part.lengthBytes, {
        abortSignal,
        ...(md5 === undefined ? {} : { transactionalContentMD5: md5 }),
      }),
    );
    arrived.add(part.number);
    await checkpoint(arrived.checkpoint());
  };
  for await (const part of upload.parts(blockBytes)) {
    count += 1;
    sentBytes += part.lengthBytes;
    if (arrived.has(part.number)) {
      upload.skip(part);
      continue;
    }
    while (underWay.size >= parallelBlocks) await Promise.race(underWay);
    if (failed !== undefined) break;
    const sending: Promise<void> = send(part)
      .catch((error) => {
        failed ??= { error };
      })
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
  }
  await Promise.all(underWay);
  if (failed !== undefined) throw failed.error;
  return { count, sentBytes };
}

/** All of one length, as the server wants them. */
class BlockIds {
  /** Names the content: blocks of another one are never taken for its. */
  readonly content: string;

  constructor(identity: string) {
    this.content = createHash("sha256").update(identity).digest("hex").slice(0, 24);
  }

  of(number: number): string {
    return Buffer.from(`${this.content}-${String(number).padStart(5, "0")}`).toString("base64");
  }

  /** Undefined where it is none of this content. */
  numberOf(id: string): number | undefined {
    const [content, number] = Buffer.from(id, "base64").toString().split("-");
    return content === this.content ? Number(number) : undefined;
  }
}
