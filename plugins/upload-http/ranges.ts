// A file in parts, each a request with Content-Range, as resumable sessions take them: 308 says "go on", with what is
// there in Range. `bytes */TOTAL` asks for that.

import { PluginError, type StepContext } from "gantry";
import type { Upload, UploadAnswer } from "gantry/toolkit/uploads";
import { judge } from "./statuses.ts";
import { headersFor, type Target } from "./whole.ts";

interface Options extends Pick<StepContext, "checkpoint" | "lastCheckpoint"> {
  partBytes: number;
}

const goOn = 308;
const accepted = 202;

/** Gives the answer to the last part. */
export async function putInParts(
  upload: Upload,
  target: Target,
  { partBytes, checkpoint, lastCheckpoint }: Options,
): Promise<{ sentBytes: number; answer: UploadAnswer }> {
  const total = upload.sizeBytes;
  const begun = lastCheckpoint as { identity: string } | undefined;
  let start = 0;
  if (begun !== undefined) {
    // The server would keep what it has, and take the new content for its rest.
    if (begun.identity !== upload.identity) throw notResumable("the file is another one than the server has a part of");
    const answer = await target.ask({ ...target.headers, "content-range": `bytes */${total}` }, undefined, false);
    if (answer.status !== goOn) return { sentBytes: total, answer };
    start = endOf(answer);
    if (start > 0 && start >= total)
      throw notResumable("the server has all bytes, and does not take them for the file");
    upload.skip({ fileBytes: start });
  }
  // From here on an interrupted attempt asks first.
  await checkpoint({ identity: upload.identity });
  for (;;) {
    const part = upload.partFrom(start, partBytes);
    const end = start + part.lengthBytes;
    const isLast = end === total;
    const range = total === 0 ? {} : { "content-range": `bytes ${start}-${end - 1}/${total}` };
    const answer = await target.ask({ ...(await headersFor(part, target)), ...range }, part, isLast);
    if (answer.status !== goOn) {
      judge(answer);
      if (isLast) return { sentBytes: total, answer };
      // Any other success for a part is one of a server that has taken the part for a whole file.
      if (answer.status !== accepted) throw notResumable(`the server answered ${answer.status} to the first part`);
    }
    const isAllTaken = answer.status === accepted && answer.headers.range === undefined;
    const taken = isAllTaken ? end : Math.min(endOf(answer), end);
    if (taken <= start) throw notResumable(`the server took nothing of the bytes from ${start} on`);
    if (taken < end) upload.skip({ fileBytes: taken - end });
    start = taken;
  }
}

const notResumable = (message: string) => new PluginError("UPLOAD_HTTP_NOT_RESUMABLE", message);

/** Behind the last byte that the server has. */
function endOf({ headers }: UploadAnswer): number {
  const [, last] = /^bytes=0-(\d+)$/.exec(headers.range ?? "") ?? [];
  return last === undefined ? 0 : Number(last) + 1;
}
