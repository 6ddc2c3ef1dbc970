import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { waitFor } from "gantry/testing";
import type { Json, JsonObject } from "../../../host/sdk.ts";
import { checkOptions } from "../../../plugins/upload-azure/options.ts";
import { testUploadTarget } from "../../conformance/upload-target.ts";
import { listen } from "../../support/listen.ts";
import { failureOf, planStep, type RecordedContext, runStep, stepContext } from "../../support/step-context.ts";
import { unrulyProxy } from "../../support/unruly-proxy.ts";
import { openContainer } from "./container.ts";

const blockBytes = 1 << 20;
const hour = 3_600_000;
const directory = mkdtempSync(join(tmpdir(), "gantry-upload-azure-"));
const path = join(directory, "file");
const container = await openContainer();
const { port } = container.azurite;

after(async () => {
  await container[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

testUploadTarget("upload-azure", {
  skip: false,
  async open() {
    const input = (name: string, through: number) => ({ ...container.input(through), name });
    const signed = (sharedAccessSignature: string) => ({ sharedAccessSignature });
    const refusing = (more: JsonObject, code: string) => ({
      input: (through: number) => ({ ...input("refused", through), ...more }),
      code,
    });
    return {
      plugin: "upload-azure",
      config: { blockSizeBytes: blockBytes, parallelBlocks: 1 },
      port,
      partBytes: blockBytes,
      input,
      partedInput: input,
      read: container.read,
      refused: {
        "a wrong signature": refusing(
          signed(container.sign("cw").replace(/sig=[^&]+/, "sig=YS1zZWNyZXQ%3D")),
          "UPLOAD_AZURE_DENIED",
        ),
        "a signature that only reads": refusing(signed(container.sign("r")), "UPLOAD_AZURE_DENIED"),
        "an expired one": refusing(
          signed(container.sign("cw", { till: new Date(Date.now() - hour) })),
          "UPLOAD_AZURE_SAS_EXPIRED",
        ),
        "one of the future": refusing(
          signed(container.sign("cw", { from: new Date(Date.now() + hour), till: new Date(Date.now() + 2 * hour) })),
          "UPLOAD_AZURE_SAS_EXPIRED",
        ),
        "a container that is not there": refusing(
          { container: "nowhere", ...signed(container.sign("cw", { container: "nowhere" })) },
          "UPLOAD_AZURE_CONTAINER_MISSING",
        ),
        "no endpoint": refusing({ endpoint: "account" }, "UPLOAD_AZURE_OPTION_INVALID"),
      },
      secrets: ["sig=", "YS1zZWNyZXQ"],
      async [Symbol.asyncDispose]() {},
    };
  },
});

const put = (more: JsonObject, context: RecordedContext, config: JsonObject = {}) =>
  runStep("upload-azure", "put", { ...container.input(port), name: "blob", path, ...more }, context, {
    blockSizeBytes: blockBytes,
    ...config,
  });

/** An attempt that is cut off once so many blocks have arrived, and none of the others; gives its checkpoint. */
async function interrupted(blocks: number, more: JsonObject, parallelBlocks: number): Promise<Json | undefined> {
  await using proxy = await unrulyProxy(port);
  const sent = () => proxy.requests.filter(({ url }) => url.includes("comp=block&")).length;
  proxy.fate = () => (sent() > blocks ? "hang" : "pass");
  let checkpoint: Json | undefined;
  using context = stepContext({
    checkpoint: async (value) => {
      checkpoint = value;
    },
  });
  const { endpoint } = container.input(proxy.port);
  const failing = failureOf("upload-azure", put({ endpoint, ...more }, context, { parallelBlocks }));
  // When these are there, the answers to those before have reached the step.
  await waitFor("the blocks that are held back", () => sent() === blocks + parallelBlocks);
  proxy.cut();
  assert.equal((await failing).code, "UPLOAD_SERVER_UNREACHABLE");
  return checkpoint;
}

test("the blob keeps type, encoding and the MD5 of the whole, whether it went in blocks or not", async () => {
  for (const size of [1000, blockBytes * 2 + 5]) {
    const content = randomBytes(size);
    writeFileSync(path, content);
    using context = stepContext();
    await put({ checksum: true, contentType: "text/plain" }, context);
    const { contentMD5, contentType } = await container.client.getBlobClient("blob").getProperties();
    assert.equal(Buffer.from(contentMD5!).toString("hex"), createHash("md5").update(content).digest("hex"));
    assert.equal(contentType, "text/plain");
  }
  using context = stepContext();
  await put({ compression: "gzip" }, context);
  assert.equal((await container.client.getBlobClient("blob").getProperties()).contentEncoding, "gzip");
});

test("slashes make folders; the endpoint may lack its slash, and the signature may have its question mark", async () => {
  writeFileSync(path, "content");
  const { endpoint, sharedAccessSignature } = container.input(port);
  using context = stepContext();
  const more = { endpoint: endpoint.slice(0, -1), sharedAccessSignature: `?${sharedAccessSignature}` };
  await put({ name: "a folder/b&c.txt", ...more }, context);
  assert.equal(String(await container.read("a folder/b&c.txt")), "content");
});

test("a signature that may read lets the server say which blocks it has, also those nobody remembers", async () => {
  writeFileSync(path, randomBytes(blockBytes * 6));
  const sharedAccessSignature = container.sign("rcw");
  const checkpoint = (await interrupted(4, { sharedAccessSignature }, 2)) as { identity: string };
  const { uncommittedBlocks = [] } = await container.client.getBlockBlobClient("blob").getBlockList("uncommitted");
  assert.equal(uncommittedBlocks.length, 4);
  await using proxy = await unrulyProxy(port);
  const { endpoint } = container.input(proxy.port);
  using context = stepContext({ lastCheckpoint: { ...checkpoint, upTo: 1, beyond: [] } });
  await put({ endpoint, sharedAccessSignature }, context);
  assert.equal(proxy.requests.filter(({ url }) => url.includes("comp=block&")).length, 2);
});

test("blocks that the server no longer has are sent anew by the next attempt", async () => {
  const content = randomBytes(blockBytes * 4);
  writeFileSync(path, content);
  const begun = (await interrupted(2, { name: "gone" }, 1)) as JsonObject;
  // As if the third one had arrived, and had been thrown away.
  let checkpoint: Json = { ...begun, upTo: 3 };
  using context = stepContext({
    lastCheckpoint: checkpoint,
    checkpoint: async (value) => {
      checkpoint = value;
    },
  });
  const failed = await failureOf("upload-azure", put({ name: "gone" }, context));
  assert.deepEqual([failed.code, failed.retryable], ["UPLOAD_AZURE_BLOCKS_GONE", true]);
  using again = stepContext({ lastCheckpoint: checkpoint });
  await put({ name: "gone" }, again);
  assert.ok((await container.read("gone"))!.equals(content));
});

test("a signature that may only create stores a new blob, and replaces none", async () => {
  writeFileSync(path, "content");
  const more = { name: "once", sharedAccessSignature: container.sign("c") };
  using context = stepContext();
  await put(more, context);
  const failed = await failureOf("upload-azure", put(more, context));
  // Azure itself has a code for this (UnauthorizedBlobOverwrite), see below.
  assert.deepEqual([failed.code, failed.retryable], ["UPLOAD_AZURE_DENIED", false]);
});

test("a file of more blocks than the server takes is refused before anything is sent", async () => {
  writeFileSync(path, "");
  truncateSync(path, 65_536 * 50_000 + 1);
  using context = stepContext();
  const failed = await failureOf("upload-azure", put({}, context, { blockSizeBytes: 65_536 }));
  assert.deepEqual([failed.code, context.reports.length], ["UPLOAD_AZURE_TOO_LARGE", 0]);
});

test("what Azurite never says has a code, too", async () => {
  const said: [number, string, string, boolean][] = [
    [503, "ServerBusy", "UPLOAD_AZURE_SERVER_ERROR", true],
    [400, "Md5Mismatch", "UPLOAD_AZURE_CORRUPTED", true],
    [403, "UnauthorizedBlobOverwrite", "UPLOAD_AZURE_EXISTS", false],
    [409, "BlobImmutableDueToPolicy", "UPLOAD_AZURE_EXISTS", false],
    [400, "InvalidHeaderValue", "UPLOAD_AZURE_REFUSED", false],
    [403, "AuthorizationFailure", "UPLOAD_AZURE_DENIED", false],
  ];
  writeFileSync(path, "content");
  for (const [status, code, wanted, retryable] of said) {
    const server = createServer((request, response) => {
      request.resume();
      const text = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>a-secret</Message></Error>`;
      const headers = { "content-type": "application/xml", "x-ms-error-code": code };
      request.on("end", () => response.writeHead(status, headers).end(text));
    });
    await using listening = await listen(server);
    using context = stepContext();
    const failed = await failureOf("upload-azure", put(container.input(listening.port), context));
    server.closeAllConnections();
    assert.deepEqual([failed.code, failed.retryable], [wanted, retryable]);
    assert.ok(!JSON.stringify(failed).includes("a-secret"));
  }
});

test("the options of a start are judged in the words and order of the original", async () => {
  const good = {
    "azure.storage.endpoint": "https://account.blob.core.windows.net/",
    "azure.shared.access.signature": "sig=x",
    "azure.blob.container": "files",
  };
  await checkOptions({ options: good });
  const rejects = (options: Record<string, string>, message: string) =>
    assert.rejects(checkOptions({ options }), { code: "UPLOAD_AZURE_OPTION_INVALID", message });
  let options: Record<string, string> = {};
  for (const [name, value] of Object.entries(good)) {
    await rejects({ ...options, [name]: "" }, `required parameter '${name}' missing or empty`);
    await rejects(options, `required parameter '${name}' missing or empty`);
    options = { ...options, [name]: value };
  }
  const message = "the storage endpoint is no URL of HTTP or HTTPS";
  await rejects({ ...good, "azure.storage.endpoint": "account" }, message);
  const withMore = "the storage endpoint has a user, a query or a fragment";
  for (const endpoint of [
    "https://u:a-secret@account.example/",
    "https://account.example/?sig=a-secret",
    "https://a/#b",
  ])
    await rejects({ ...good, "azure.storage.endpoint": endpoint }, withMore);
  for (const name of ["..", "a/b", "\ud800"])
    await rejects({ ...good, "azure.blob.container": name }, "the container has a name that no container can have");
  for (const signature of ["sig=a\r\nb", "sig=a#b", "sig=a b", "sig=ä", "?"])
    await rejects(
      { ...good, "azure.shared.access.signature": signature },
      "the signature has signs that no query can have",
    );
});

test("a name that would lead elsewhere is refused before anything is sent", async () => {
  writeFileSync(path, "content");
  for (const name of ["../other", "a/./b", "\udc00"]) {
    using context = stepContext();
    const failed = await failureOf("upload-azure", put({ name }, context));
    assert.deepEqual(
      [failed.code, failed.message],
      ["UPLOAD_AZURE_OPTION_INVALID", "the blob has a name that no blob can have"],
    );
  }
});

test("a plan names blob and container", async () => {
  using context = stepContext();
  const input = { ...container.input(port), name: "b", path };
  assert.equal(await planStep("upload-azure", "put", input, context), `stores ${path} as b in the container files`);
});
