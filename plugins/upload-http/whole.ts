// A file as the body of one request.

import type { OutgoingHttpHeaders } from "node:http";
import type { Upload, UploadAnswer, UploadPart } from "gantry/toolkit/uploads";

export interface Target {
  headers: OutgoingHttpHeaders;
  /** Whether each body goes with its MD5. */
  checksum: boolean;
  /** One request; before the end of the last one the file is looked at again. */
  ask(headers: OutgoingHttpHeaders, part: UploadPart | undefined, isLast: boolean): Promise<UploadAnswer>;
}

export async function putWhole(upload: Upload, target: Target): Promise<{ sentBytes: number; answer: UploadAnswer }> {
  const part = await upload.whole();
  const answer = await target.ask(await headersFor(part, target), part, true);
  return { sentBytes: part.lengthBytes, answer };
}

export async function headersFor(part: UploadPart, { headers, checksum }: Target): Promise<OutgoingHttpHeaders> {
  return checksum ? { ...headers, "content-md5": (await part.digest("md5")).toString("base64") } : headers;
}
