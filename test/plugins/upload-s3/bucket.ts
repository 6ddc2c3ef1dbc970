// A bucket on a server, seen from outside the plugin.

import { createHash } from "node:crypto";
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { type Swift, startSwift } from "../../support/swift.ts";

export interface Bucket extends AsyncDisposable {
  swift: Swift;
  /** The step's input but for path and key, by way of this port. */
  input(port: number): {
    bucket: string;
    region: string;
    endpoint: string;
    pathStyle: boolean;
    accessKeyId: string;
    secretAccessKey: string;
  };
  read(key: string): Promise<Buffer | undefined>;
  /** SHA-256 of what it has. */
  digest(key: string): Promise<string>;
  head(key: string): Promise<{ ContentType?: string | undefined; ContentEncoding?: string | undefined }>;
  /** Of the objects below a prefix. */
  sizes(prefix: string): Promise<number[]>;
  /** Uploads in parts that have not ended. */
  open(): Promise<number>;
  /** The numbers of the parts that it has of such an upload. */
  parts(key: string, upload: { uploadId: string }): Promise<number[]>;
}

export async function openBucket(): Promise<Bucket> {
  const swift = await startSwift();
  const { accessKeyId, secretAccessKey } = swift;
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${swift.port}`,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  await client.send(new CreateBucketCommand({ Bucket: "bucket" }));
  const Bucket = "bucket";
  return {
    swift,
    input: (port) => ({
      bucket: Bucket,
      region: "us-east-1",
      endpoint: `http://127.0.0.1:${port}`,
      pathStyle: true,
      accessKeyId,
      secretAccessKey,
    }),
    async read(key) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key }));
        return Buffer.from(await Body!.transformToByteArray());
      } catch (error) {
        if ((error as Error).name === "NoSuchKey") return undefined;
        throw error;
      }
    },
    async digest(Key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      const hash = createHash("sha256");
      for await (const chunk of Body as AsyncIterable<Buffer>) hash.update(chunk);
      return hash.digest("hex");
    },
    head: (key) => client.send(new HeadObjectCommand({ Bucket, Key: key })),
    async sizes(Prefix) {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }));
      return Contents.map(({ Size }) => Size!);
    },
    open: async () => (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.length ?? 0,
    async parts(Key, { uploadId }) {
      const { Parts = [] } = await client.send(new ListPartsCommand({ Bucket, Key, UploadId: uploadId }));
      return Parts.map(({ PartNumber }) => PartNumber!);
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await swift[Symbol.asyncDispose]();
    },
  };
}
