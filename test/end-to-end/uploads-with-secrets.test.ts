// Uploads without a hub: the steps of the providers in a workflow of one's own, their credentials named by `$secret`.
// Each goes to a real server that asks for the credential; afterwards it is searched for in all that the host wrote.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { JsonObject } from "../../host/sdk.ts";
import { startTestHost, type TestHost } from "../../host/testing/test-host.ts";
import { gantry } from "../commands/gantry.ts";
import { type Container, openContainer } from "../plugins/upload-azure/container.ts";
import { type Bucket, openBucket } from "../plugins/upload-s3/bucket.ts";
import { needs } from "../support/parts.ts";
import { type PutServer, startPutServer } from "../support/put-server.ts";

const token = 'Bearer "a token"/of+this=device';
const path = join(mkdtempSync(join(tmpdir(), "gantry-named-secrets-")), "app.log");
const secret = ($secret: string) => ({ $secret });

interface Case {
  /** What the step gets beside `path`. */
  input: JsonObject;
  /** Its secrets, by name. */
  secrets: Record<string, string>;
  stored(): Promise<Buffer | undefined> | Buffer | undefined;
  denied: string;
}

describe("a workflow that uploads with secrets of the device", { timeout: 240_000 }, () => {
  let server: PutServer;
  let container: Container;
  let bucket: Bucket | undefined;
  let host: TestHost;
  const cases = new Map<string, Case>();

  before(async () => {
    writeFileSync(path, "all is well\n");
    [server, container] = await Promise.all([startPutServer({ authorization: token }), openContainer()]);
    const signature = container.input(container.azurite.port).sharedAccessSignature;
    cases.set("upload-http", {
      input: { url: `${server.url}/private/app.log`, headers: { authorization: secret("TOKEN"), "x-site": "north" } },
      secrets: { TOKEN: token },
      stored: () => server.files.get("/private/app.log"),
      denied: "UPLOAD_HTTP_DENIED",
    });
    cases.set("upload-azure", {
      input: {
        ...container.input(container.azurite.port),
        name: "app.log",
        sharedAccessSignature: secret("SIGNATURE"),
      },
      secrets: { SIGNATURE: signature },
      stored: () => container.read("app.log"),
      denied: "UPLOAD_AZURE_DENIED",
    });
    if (needs("swift-object-server") === false) {
      bucket = await openBucket();
      const { accessKeyId, secretAccessKey, ...where } = bucket.input(bucket.swift.port);
      const keys = { accessKeyId: secret("KEY_ID"), secretAccessKey: secret("KEY") };
      cases.set("upload-s3", {
        input: { ...where, key: "app.log", ...keys },
        secrets: { KEY_ID: accessKeyId, KEY: secretAccessKey },
        stored: () => bucket!.read("app.log"),
        denied: "UPLOAD_S3_DENIED",
      });
    }
    const document = (uses: string, input: JsonObject) => ({
      steps: [{ id: "put", uses: `${uses}/put`, with: { path, ...input } }],
      outputs: { sentBytes: "${{ steps.put.outputs.sentBytes }}" },
    });
    const workflows: Record<string, object> = {};
    for (const [plugin, { input }] of cases) {
      workflows[plugin] = document(plugin, input);
      // The same with names that stand for something else, or for nothing.
      const named = (rename: (name: string) => string) =>
        JSON.parse(JSON.stringify(input), (key, value) => (key === "$secret" ? rename(value) : value)) as JsonObject;
      workflows[`${plugin}-wrong`] = document(
        plugin,
        named((name) => `WRONG_${name}`),
      );
      workflows[`${plugin}-missing`] = document(
        plugin,
        named(() => "NOBODY_HAS_SET_THIS"),
      );
    }
    const all = Object.assign({}, ...[...cases.values()].map(({ secrets }) => secrets)) as Record<string, string>;
    const wrong = Object.fromEntries(
      Object.entries(all).map(([name, value]) => [
        `WRONG_${name}`,
        name === "SIGNATURE" ? value.replace(/sig=[^&]+/, "sig=d3Jvbmctc2lnbmF0dXJl") : `wrong-${name}-of-this-device`,
      ]),
    );
    host = await startTestHost({ plugins: [...cases.keys()], workflows, secrets: { ...all, ...wrong }, process: true });
  });
  after(async () => {
    for (const each of [host, bucket, container, server]) await each?.[Symbol.asyncDispose]();
    rmSync(join(path, ".."), { recursive: true });
  });

  for (const plugin of ["upload-http", "upload-azure", "upload-s3"]) {
    const skip = plugin === "upload-s3" && needs("swift-object-server");

    test(`${plugin}: the server takes the file, and whoever looks at the run sees the name of the secret`, {
      skip,
    }, async () => {
      const { stored, input } = cases.get(plugin)!;
      const run = await host.run(plugin);
      assert.equal(run.status, "succeeded", JSON.stringify(run.error));
      assert.deepEqual(run.output, { sentBytes: 12 });
      assert.equal(String(await stored()), "all is well\n");
      assert.deepEqual(run.steps[0]!.input, { path, ...input });
    });

    test(`${plugin}: a wrong secret is refused by the server with its code`, { skip }, async () => {
      const run = await host.run(`${plugin}-wrong`);
      assert.deepEqual([run.status, run.error?.code], ["failed", cases.get(plugin)!.denied]);
    });

    test(`${plugin}: a missing secret fails the step before it acts, with the name and what to do`, {
      skip,
    }, async () => {
      const run = await host.run(`${plugin}-missing`);
      assert.equal(run.error?.code, "SECRET_MISSING");
      assert.match(run.error!.message, /NOBODY_HAS_SET_THIS/);
      assert.match(run.error!.remedy ?? "", /GANTRY_SECRET_/);
      assert.equal(run.steps[0]!.attempts, 1);
    });
  }

  test("no secret, right or wrong, is in the data folder, the log, or what the commands say", async () => {
    const ids = host.runs().map(({ id }) => id);
    assert.ok(ids.length >= 6);
    const shown: string[] = [];
    for (const id of ids)
      for (const more of [[], ["--json"]]) shown.push((await gantry("show", id, "--data", host.data, ...more)).stdout);
    assert.match(shown.join("\n"), /"\$secret":\s*"TOKEN"/);
    await host.kill();
    const written = readdirSync(host.data, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
    const everything = [...written, ...shown, host.logText()].join("\n");
    assert.ok(everything.includes("NOBODY_HAS_SET_THIS"), "the search does find names");
    const { searchParams } = new URL(`http://x/?${cases.get("upload-azure")!.secrets.SIGNATURE}`);
    const values = [...cases.values()].flatMap(({ secrets }) => Object.values(secrets));
    const others = [
      searchParams.get("sig")!,
      "d3Jvbmctc2lnbmF0dXJl",
      "wrong-TOKEN-of-this-device",
      "wrong-KEY-of-this-device",
    ];
    for (const value of [...values, ...others])
      for (const form of [
        value,
        JSON.stringify(value).slice(1, -1),
        encodeURIComponent(value),
        Buffer.from(value).toString("base64"),
      ])
        assert.ok(!everything.includes(form), `${form} was written`);
  });
});
