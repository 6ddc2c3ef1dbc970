// A file as one request.

import { uploadBody } from "gantry/toolkit/uploads";
import { attributesOf, checksumsOf, placeOf, type Stored, type Storing } from "./object.ts";

export async function putSingle({ client, upload, input }: Storing): Promise<Stored> {
  const { PutObjectCommand } = await import("./sdk.ts");
  const part = await upload.whole();
  const checksums = await checksumsOf(part, input);
  const { ETag = "" } = await upload.exchange(
    part,
    (body, signal) => {
      const command = new PutObjectCommand({
        ...placeOf(input),
        ...attributesOf(input),
        ...checksums,
        ContentLength: part.lengthBytes,
        Body: uploadBody(body),
      });
      return client.send(command, { abortSignal: signal });
    },
    { isWhole: true },
  );
  return { etag: ETag, sentBytes: part.lengthBytes };
}
