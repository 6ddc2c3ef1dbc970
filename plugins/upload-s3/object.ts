// An object to be stored, and what each request says of it.

import type { S3Client } from "@aws-sdk/client-s3";
import type { Upload, UploadPart } from "gantry/toolkit/uploads";
import type { PutInput } from "./plugin.types.ts";

export interface Storing {
  client: S3Client;
  upload: Upload;
  input: PutInput;
}

export interface Stored {
  etag: string;
  sentBytes: number;
}

/** Names the object. */
export const placeOf = ({ bucket, key }: PutInput) => ({ Bucket: bucket, Key: key });

/** For people. */
export const nameOf = ({ bucket, key }: PutInput) => `${bucket}/${key}`;

/** What is kept with it. */
export function attributesOf({ contentType, compression }: PutInput) {
  return { ContentType: contentType, ...(compression === "gzip" ? { ContentEncoding: "gzip" } : {}) };
}

export interface Checksums {
  ContentMD5?: string;
  ChecksumSHA256?: string;
  ChecksumCRC32?: string;
}

/** Of one request's body. */
export async function checksumsOf(part: UploadPart, { checksum, checksumAlgorithm }: PutInput): Promise<Checksums> {
  const checksums: Checksums = {};
  const digest = async (algorithm: "md5" | "sha256" | "crc32") => (await part.digest(algorithm)).toString("base64");
  if (checksum) checksums.ContentMD5 = await digest("md5");
  if (checksumAlgorithm === "SHA256") checksums.ChecksumSHA256 = await digest("sha256");
  if (checksumAlgorithm === "CRC32") checksums.ChecksumCRC32 = await digest("crc32");
  return checksums;
}
