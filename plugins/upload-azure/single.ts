// A file as one request.

import { uploadBody } from "gantry/toolkit/uploads";
import { type Stored, type Storing, typeOf } from "./blob.ts";

export async function putSingle({ client, upload, input }: Storing): Promise<Stored> {
  const part = await upload.whole();
  const md5 = input.checksum ? await part.digest("md5") : undefined;
  const { etag = "" } = await upload.exchange(
    part,
    (body, abortSignal) =>
      client.upload(uploadBody(body), part.lengthBytes, {
        abortSignal,
        blobHTTPHeaders: { ...typeOf(input), ...(md5 === undefined ? {} : { blobContentMD5: md5 }) },
      }),
    { isWhole: true },
  );
  return { etag, sentBytes: part.lengthBytes };
}
