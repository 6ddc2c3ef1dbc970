// What every step `put` of an upload target does, whatever its server. Each provider runs this against a real one.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { Failure } from "../../host/errors.ts";
import type { Json, JsonObject } from "../../host/sdk.ts";
import { failureOf, type RecordedContext, runStep, stepContext } from "../support/step-context.ts";
import { type UnrulyProxy, unrulyProxy } from "../support/unruly-proxy.ts";

/** One provider's server. */
export interface UploadTarget extends AsyncDisposable {
  plugin: string;
  /** Of the plugin; `silenceTimeout` is added where it must be short. */
  config: JsonObject;
  /** Where it listens for plain HTTP. */
  port: number;
  /** The step's input but for `path`, so that the file becomes `name`; by way of this port. */
  input(name: string, port: number): JsonObject;
  /** What the server has under this name; undefined: nothing. */
  read(name: string): Promise<Buffer | undefined>;
  /** Inputs that the server refuses, with the code for it. */
  refused: Record<string, { input(port: number): JsonObject; code: string; retryable?: boolean }>;
  /** The part size with which `partedInput` sends; undefined where the server takes no parts. */
  partBytes: number;
  /** As `input`, in parts that are not sent again. */
  partedInput(name: string, port: number): JsonObject;
  /** What becomes of an interrupted file that has changed: it is sent anew, or that is refused with this code. */
  afterChange?: string;
  /** Texts that must not be seen in any failure. */
  secrets: string[];
}

export interface SuiteOptions {
  skip: string | false;
  open(directory: string): Promise<UploadTarget>;
}

export function testUploadTarget(name: string, { skip, open }: SuiteOptions): void {
  const directory = mkdtempSync(join(tmpdir(), "gantry-upload-"));
  let target: UploadTarget;
  let proxy: UnrulyProxy;
  let count = 0;

  before(async () => {
    if (skip) return;
    target = await open(directory);
    proxy = await unrulyProxy(target.port);
  });
  beforeEach(() => {
    if (!skip) proxy.fate = () => "pass";
  });
  after(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await target?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const it = (sentence: string, act: () => Promise<void>) =>
    test(`${name}: ${sentence}`, { skip, timeout: 120_000 }, act);

  function fileOf(
    content: Buffer | string,
    called = `file-${++count}`,
  ): { path: string; name: string; content: Buffer } {
    const path = join(directory, called);
    writeFileSync(path, content);
    return { path, name: called, content: Buffer.from(content) };
  }

  const put = (input: JsonObject, context: RecordedContext, config: JsonObject = {}) =>
    runStep(target.plugin, "put", input, context, { ...target.config, ...config });

  async function failure(input: JsonObject, context: RecordedContext, config: JsonObject = {}): Promise<Failure> {
    const failed = await failureOf(target.plugin, put(input, context, config));
    const text = JSON.stringify([failed, context.lines, context.reports, context.checkpoints]);
    for (const secret of target.secrets) assert.ok(!text.includes(secret), `${secret} is in ${text}`);
    return failed;
  }

  /** Not as a whole: what differs in a large content is nothing to show. */
  async function assertStored(called: string, content: Buffer): Promise<void> {
    const stored = await target.read(called);
    assert.equal(stored?.length, content.length, called);
    assert.ok(stored.equals(content), `${called} has another content`);
  }

  /** A context that does something once so many bytes have gone. */
  function whenSent(bytes: number, act: () => void): RecordedContext {
    let sent = 0;
    return stepContext({
      throttle: async (more) => {
        if (sent < bytes && sent + more >= bytes) act();
        sent += more;
      },
    });
  }

  it("a file arrives as it is, whatever its size", async () => {
    for (const size of [0, 1, 70_000, 300_000]) {
      const file = fileOf(randomBytes(size));
      using context = stepContext();
      const output = await put({ ...target.input(file.name, target.port), path: file.path }, context);
      await assertStored(file.name, file.content);
      assert.equal(output.sizeBytes, size);
      assert.equal(output.sentBytes, size);
      assert.deepEqual(context.reports.at(-1) ?? { percent: 100, details: { bytes: 0, totalBytes: 0 } }, {
        percent: 100,
        details: { bytes: size, totalBytes: size },
      });
    }
  });

  it("a name with blanks, signs and other letters is kept", async () => {
    const file = fileOf("named", "ä b+c&d=e?f#g%20'h'.txt");
    using context = stepContext();
    await put({ ...target.input(file.name, target.port), path: file.path }, context);
    await assertStored(file.name, file.content);
  });

  it("a file in several parts arrives as it is, its progress counted in bytes", async () => {
    const size = Math.floor(target.partBytes * 2.3);
    const file = fileOf(randomBytes(size));
    using context = stepContext();
    await put({ ...target.partedInput(file.name, target.port), path: file.path }, context);
    await assertStored(file.name, file.content);
    const bytes = context.reports.map(({ details }) => (details as { bytes: number }).bytes);
    assert.ok(bytes.length > 5, `${bytes.length} reports`);
    assert.deepEqual(
      bytes,
      bytes.toSorted((one, other) => one - other),
    );
    assert.equal(bytes.at(-1), size);
  });

  it("with checksum the server can tell that what came is right, also of parts", async () => {
    for (const size of [0, 70_000, Math.floor(target.partBytes * 1.5)]) {
      const file = fileOf(randomBytes(size));
      using context = stepContext();
      await put({ ...target.partedInput(file.name, target.port), path: file.path, checksum: true }, context);
      await assertStored(file.name, file.content);
    }
  });

  it("with checksum, what is changed on the way is not stored", async () => {
    const file = fileOf("as it was");
    proxy.fate = () => "spoil";
    using context = stepContext();
    const failed = await failure({ ...target.input(file.name, proxy.port), path: file.path, checksum: true }, context);
    assert.match(failed.code, /_(CORRUPTED|REFUSED)$/);
    assert.equal(await target.read(file.name), undefined);
  });

  it("what is compressed on the way is the same once unpacked", async () => {
    for (const content of [
      Buffer.alloc(0),
      Buffer.from("text ".repeat(100_000)),
      randomBytes(Math.floor(target.partBytes * 1.2)),
    ]) {
      const file = fileOf(content);
      using context = stepContext();
      const input = { ...target.input(file.name, target.port), path: file.path, compression: "gzip" };
      const output = await put(input, context);
      const stored = (await target.read(file.name))!;
      assert.ok(gunzipSync(stored).equals(content));
      assert.equal(output.sentBytes, stored.length);
      assert.equal(output.sizeBytes, content.length);
      using again = stepContext();
      await put({ ...input, checksum: true }, again);
      assert.ok(gunzipSync((await target.read(file.name))!).equals(content));
    }
  });

  it("what the server refuses has a code of its own, and no secret in it", async () => {
    const file = fileOf("refused");
    for (const [what, { input, code, retryable = false }] of Object.entries(target.refused)) {
      using context = stepContext();
      const failed = await failure({ ...input(target.port), path: file.path }, context);
      assert.deepEqual([failed.code, failed.retryable], [code, retryable], `${what}: ${failed.message}`);
    }
  });

  it("a server that answers 500 fails the attempt, and the next one may succeed", async () => {
    const file = fileOf("again");
    proxy.fate = () => 500;
    using context = stepContext();
    const input = { ...target.input(file.name, proxy.port), path: file.path };
    const failed = await failure(input, context);
    assert.match(failed.code, /_SERVER_ERROR$/);
    assert.equal(failed.retryable, true);
    proxy.fate = () => "pass";
    await put(input, context);
    await assertStored(file.name, file.content);
  });

  it("a server that hangs fails the attempt", async () => {
    const file = fileOf(randomBytes(100_000));
    proxy.fate = () => "hang";
    using context = stepContext();
    const input = { ...target.input(file.name, proxy.port), path: file.path };
    const failed = await failure(input, context, { silenceTimeout: "200ms" });
    assert.deepEqual([failed.code, failed.retryable], ["UPLOAD_SERVER_SILENT", true]);
  });

  it("waiting for the run's limit on its rate is no silence", async () => {
    const file = fileOf(randomBytes(150_000));
    using context = stepContext({ throttle: () => new Promise((resolve) => setTimeout(resolve, 300)) });
    await put({ ...target.input(file.name, target.port), path: file.path }, context, { silenceTimeout: "200ms" });
    await assertStored(file.name, file.content);
  });

  it("a server that cannot be reached fails the attempt", async () => {
    const file = fileOf("nowhere");
    const away = await unrulyProxy(target.port);
    await away[Symbol.asyncDispose]();
    using context = stepContext();
    const failed = await failure({ ...target.input(file.name, away.port), path: file.path }, context);
    assert.deepEqual([failed.code, failed.retryable], ["UPLOAD_SERVER_UNREACHABLE", true]);
  });

  it("an interrupted upload goes on without the parts that have arrived", async () => {
    const parts = 5;
    const file = fileOf(randomBytes(target.partBytes * parts - 1000));
    const input = { ...target.partedInput(file.name, proxy.port), path: file.path };
    let checkpoint: Json | undefined;
    for (const cutAfter of [1.5, 1.5]) {
      proxy.requests.length = 0;
      let bytes = 0;
      using context = stepContext({
        lastCheckpoint: checkpoint,
        checkpoint: async (value) => {
          checkpoint = value;
        },
        throttle: async (more) => {
          bytes += more;
          if (bytes > cutAfter * target.partBytes) proxy.cut();
        },
      });
      const failed = await failure(input, context);
      assert.equal(failed.code, "UPLOAD_SERVER_UNREACHABLE");
      assert.equal(failed.retryable, true);
      assert.notEqual(checkpoint, undefined);
    }
    proxy.requests.length = 0;
    using context = stepContext({ lastCheckpoint: checkpoint });
    await put(input, context);
    await assertStored(file.name, file.content);
    // Two parts arrived before the cuts, and what was under way then may be sent again.
    const sent = proxy.requests.reduce((sum, { bytes }) => sum + bytes, 0);
    assert.ok(sent < target.partBytes * (parts - 1.9) + 10_000, `${sent} bytes`);
    const [first] = context.reports;
    assert.ok((first!.details as { bytes: number }).bytes >= target.partBytes, JSON.stringify(first));
  });

  it("a file that changed since the interruption is not taken for the rest of what was sent", async () => {
    const file = fileOf(randomBytes(target.partBytes * 2));
    const input = { ...target.partedInput(file.name, proxy.port), path: file.path };
    let checkpoint: Json | undefined;
    using cut = stepContext({
      checkpoint: async (value) => {
        checkpoint = value;
      },
      throttle: (() => {
        let bytes = 0;
        return async (more: number) => {
          bytes += more;
          if (bytes > 1.5 * target.partBytes) proxy.cut();
        };
      })(),
    });
    await failure(input, cut);
    const other = randomBytes(target.partBytes * 2);
    writeFileSync(file.path, other);
    using context = stepContext({ lastCheckpoint: checkpoint });
    if (target.afterChange !== undefined) {
      assert.equal((await failure(input, context)).code, target.afterChange);
      assert.equal(await target.read(file.name), undefined);
      return;
    }
    await put(input, context);
    await assertStored(file.name, other);
  });

  it("a file that is written while it is read is not taken for whole", async () => {
    const cases: [string, (path: string) => void][] = [
      ["UPLOAD_FILE_TRUNCATED", (path) => truncateSync(path, 100_000)],
      ["UPLOAD_FILE_GREW", (path) => appendFileSync(path, "more")],
      ["UPLOAD_FILE_CHANGED", (path) => writeFileSync(path, randomBytes(2_000_000))],
    ];
    for (const [code, change] of cases) {
      const file = fileOf(randomBytes(2_000_000));
      using context = whenSent(600_000, () => change(file.path));
      const failed = await failure({ ...target.input(file.name, target.port), path: file.path }, context);
      assert.deepEqual([failed.code, failed.retryable], [code, true]);
      assert.equal(await target.read(file.name), undefined, `${code}: something was stored`);
    }
  });

  it("with allowGrowth a file that grows is sent as long as it was", async () => {
    const file = fileOf(randomBytes(2_000_000));
    using context = whenSent(600_000, () => appendFileSync(file.path, "more"));
    await put({ ...target.input(file.name, target.port), path: file.path, allowGrowth: true }, context);
    await assertStored(file.name, file.content);
  });

  it("what is no file that can be read is refused", async () => {
    const file = fileOf("linked");
    const folder = join(directory, "folder");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "inside"), "inside");
    symlinkSync(file.path, join(directory, "link"));
    symlinkSync(folder, join(directory, "way"));
    const refused = [
      [{ path: join(directory, "missing") }, /ENOENT/],
      [{ path: folder }, /is a directory/],
      [{ path: "/dev/null" }, /no regular file/],
      [{ path: join(directory, "link"), followLinks: false }, /is a link/],
      [{ path: join(directory, "way", "inside"), followLinks: false }, /through a link/],
    ] as const;
    for (const [more, words] of refused) {
      using context = stepContext();
      const failed = await failure({ ...target.input("refused", target.port), ...more }, context);
      assert.equal(failed.code, "UPLOAD_FILE_UNREADABLE");
      assert.match(failed.message, words);
    }
    using context = stepContext();
    await put({ ...target.input("linked", target.port), path: join(directory, "link") }, context);
    await assertStored("linked", file.content);
  });

  it("an attempt that is told to end does so at once, and stores nothing", async () => {
    const file = fileOf(randomBytes(2_000_000));
    const reason = new Error("told to end");
    using context = whenSent(600_000, () => context.controller.abort(reason));
    await assert.rejects(put({ ...target.input(file.name, target.port), path: file.path }, context), reason);
    assert.equal(await target.read(file.name), undefined);
  });
}
