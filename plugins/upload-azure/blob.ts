import type { BlockBlobClient } from "@azure/storage-blob";
import type { Upload } from "gantry/toolkit/uploads";
import type { PutInput } from "./plugin.types.ts";

export interface Storing {
  client: BlockBlobClient;
  upload: Upload;
  input: PutInput;
}

export interface Stored {
  etag: string;
  sentBytes: number;
}

/** What is kept with the blob. */
export function typeOf({ contentType, compression }: PutInput) {
  return {
    blobContentType: contentType,
    ...(compression === "gzip" ? { blobContentEncoding: "gzip" } : {}),
  };
}
