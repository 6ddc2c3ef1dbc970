// The uploads of this device: from a trigger over the hub's confirmations to the last file. What happens to a batch
// happens one thing after the other, and each is reported before it is settled on disk, so that after a crash it is at
// most reported twice.

import type { Json, JsonObject, Log } from "gantry";
import type { Things } from "../things/service.ts";
import { alreadyStarted, ended, hasParts, idTaken, notFound, ongoing } from "./failures.ts";
import { type Ending, lastUpload, progressOf } from "./last-upload.ts";
import { type Batch, type BatchFile, type Ledger, rememberCancel, rememberUploaded } from "./ledger.ts";
import { Places } from "./places.ts";
import type { SelectedFile } from "./selection.ts";
import { pageFiles, StartedFiles } from "./started-files.ts";
import { fileId, GeneratedIds, parseFileId } from "./upload-ids.ts";

export interface UploadsOptions {
  ledger: Ledger;
  things: Things;
  feature: string;
  log: Log;
  maxParallel: number;
  requestTimeoutMs: number;
}

export interface NewBatch {
  run: string;
  /** Empty: one is made. */
  id: string;
  files: SelectedFile[];
  /** What each request carries beside the path. */
  options: JsonObject;
  /** Whether it is refused while another one is under way. */
  single: boolean;
}

/** How one file ended. `identity`: what it was, where that is to be remembered. */
export type FileEnd =
  | { status: "done"; identity?: string }
  | { status: "failed"; statusCode: string; message: string; others: "stop" | "continue" };

export class Uploads {
  readonly #options: UploadsOptions;
  readonly #places: Places;
  readonly #ids = new GeneratedIds(Date.now());
  /** By batch and file: the bytes of those under way. */
  readonly #underWay = new Map<string, Map<string, number>>();
  readonly #started = new StartedFiles();
  readonly #listeners = new Set<() => void>();
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(options: UploadsOptions, uploading: BatchFile[]) {
    this.#options = options;
    this.#places = new Places(options.maxParallel, uploading.map(fileId));
  }

  static async open(options: UploadsOptions): Promise<Uploads> {
    await options.ledger.open();
    return new Uploads(options, await options.ledger.uploading());
  }

  /** Called when a request may expire at another time than before. */
  onRequested(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Rejects with FILE_UPLOAD_ONGOING and FILE_UPLOAD_ID_TAKEN. Without files there is no batch. */
  create({ run, id, files, options, single }: NewBatch): Promise<string> {
    const { ledger } = this.#options;
    return this.#inOrder(async () => {
      if (single && (await ledger.isUploading())) throw ongoing();
      const batch = id === "" ? await this.#freeId() : id;
      const known = await ledger.batch(batch);
      if (known !== undefined && known.run !== run) throw idTaken(batch);
      if (files.length === 0) return batch;
      const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      const counts = { files: files.length, filesDone: 0, bytes, bytesDone: 0, progress: 0 };
      await ledger.addBatch({ id: batch, run, startedAt: null, info: {}, options, failure: null, ...counts });
      await ledger.addFiles(files.map((file, index) => ({ ...file, batch, number: index + 1 })));
      return batch;
    });
  }

  async #freeId(): Promise<string> {
    for (;;) {
      const id = this.#ids.next();
      if ((await this.#options.ledger.batch(id)) === undefined) return id;
    }
  }

  /**
   * Sends what has not been sent yet, so many as the hub starts. It has `requestTimeout` to start each. Gives how many
   * there are in all. Rejects with the signal's reason.
   */
  async request(
    id: string,
    send: (file: BatchFile, options: JsonObject) => Promise<void>,
    signal: AbortSignal,
  ): Promise<number> {
    const { ledger, requestTimeoutMs } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const [batch, page] = await Promise.all([ledger.batch(id), ledger.notRequested(id, pageFiles)]);
      if (batch === undefined || page.length === 0) return batch?.files ?? 0;
      using requested = this.#started.page(page.map(fileId));
      // Side by side, and yet in order: each is put into the outbox before the next one.
      await Promise.all(page.map((file) => send(file, batch.options)));
      await ledger.requested(id, page.at(-1)!.number, Date.now() + requestTimeoutMs);
      for (const listener of this.#listeners) listener();
      if (page.length === pageFiles) await requested.done(signal);
    }
  }

  /** The file that a `start` is for; it may be started. Rejects with what the command is answered with. */
  async startable(id: string, run: string): Promise<BatchFile> {
    const { ledger } = this.#options;
    if ((await ledger.batch(id)) !== undefined) throw hasParts(id);
    const parsed = parseFileId(id);
    const file = parsed && (await ledger.file(parsed.batch, parsed.number));
    if (file === undefined) throw notFound(id);
    if (file.state !== "waiting" && file.run !== run) throw alreadyStarted(id);
    return file;
  }

  /** From here on it is under way. */
  start(id: string, run: string, info: JsonObject): Promise<BatchFile> {
    return this.#inOrder(async () => {
      const file = await this.startable(id, run);
      const at = Date.now();
      this.#started.hear(id);
      if (file.state === "waiting")
        await this.#options.ledger.started(file, { run, at, expiresAt: at + abandonedAfterMs, info });
      return file;
    });
  }

  /** Resolves with the file when it may be transferred. Rejects with FILE_UPLOAD_ENDED, or the signal's reason. */
  async place(id: string, run: string, signal: AbortSignal): Promise<BatchFile> {
    const file = await this.#fileOf(id, run);
    if (file === undefined) throw ended(id);
    await this.#places.take(id, signal);
    return await this.#inOrder(async () => {
      if ((await this.#fileOf(id, run)) === undefined) {
        if ((await this.#file(id)) === undefined) this.#leave(id);
        throw ended(id);
      }
      this.#started.hear(id);
      if (file.state !== "uploading") await this.#options.ledger.hasPlace(file);
      return file;
    });
  }

  /** Reports where the batch stands, with the bytes of a file under way. */
  progress(id: string, run: string, bytes: number | undefined, key: string): Promise<void> {
    return this.#inOrder(async () => {
      const file = await this.#fileOf(id, run);
      const batch = file && (await this.#options.ledger.batch(file.batch));
      if (batch === undefined || batch.startedAt === null) return;
      if (bytes === undefined) return await this.#report(batch, key);
      this.#started.hear(id);
      this.#underWayOf(batch.id).set(id, Math.min(bytes, file!.sizeBytes));
      const progress = this.#progressOf(batch);
      if (progress === batch.progress) return;
      await this.#report({ ...batch, progress }, key, { intermediate: true });
      await this.#options.ledger.reported(batch.id, progress);
    });
  }

  /** Resolves with how the batch has ended, if it has. One that is gone has ended before. */
  end(id: string, run: string, end: FileEnd, key: string): Promise<Ending["state"] | undefined> {
    return this.#inOrder(async () => {
      const { ledger } = this.#options;
      const file = await this.#fileOf(id, run);
      const found = file && (await ledger.batch(file.batch));
      if (file === undefined || found === undefined) return undefined;
      this.#underWayOf(found.id).delete(id);
      const batch = { ...found };
      if (end.status === "done") {
        batch.filesDone += 1;
        batch.bytesDone += file.sizeBytes;
      } else batch.failure ??= { code: end.statusCode, message: end.message };
      const stops = end.status === "failed" && end.others === "stop";
      const isLast = !(await ledger.hasMoreThan(1, batch.id));
      const ending = stops || isLast ? endingOf(batch) : undefined;
      batch.progress = ending?.state === "SUCCESS" ? 100 : this.#progressOf(batch);
      const more =
        end.status === "done" && end.identity !== undefined
          ? [rememberUploaded(file.realPath, end.identity, Date.now())]
          : [];
      await this.#settle(batch, [file.number], ending, key, more);
      return ending?.state;
    });
  }

  /** Ends the batch of this id, or of this file's. Rejects with FILE_UPLOAD_UNKNOWN. */
  cancel(id: string, said: { statusCode: string; message: string }, run: string, key: string): Promise<string> {
    return this.#inOrder(async () => {
      const { ledger } = this.#options;
      const done = await ledger.cancelledBy(run);
      if (done !== undefined) return done;
      const batch = (await ledger.batch(id)) ?? (await this.#batchOfFile(id));
      if (batch === undefined) throw notFound(id);
      const ending = { state: "CANCELED", at: Date.now(), ...said } as const;
      await this.#settle(batch, [], ending, key, rememberCancel(run, batch.id, Date.now()));
      return batch.id;
    });
  }

  /** Gives up what the hub has not started in time, and what was started and not heard of for very long. */
  expire(id: string, key: string): Promise<number> {
    return this.#inOrder(async () => {
      const { ledger, log } = this.#options;
      for (let expired = 0; ; ) {
        const found = await ledger.batch(id);
        const files = found === undefined ? [] : await this.#givenUp(id);
        if (found === undefined || files.length === 0) return expired;
        expired += files.length;
        const failure = expiryOf(files, found);
        log.warn(`files of an upload are given up: ${failure.message}`, { code: failure.code, upload: id });
        const batch = { ...found, failure: found.failure ?? failure };
        const isAll = !(await ledger.hasMoreThan(files.length, id));
        const numbers = files.map(({ number }) => number);
        await this.#settle(batch, numbers, isAll ? endingOf(batch) : undefined, `${key}/${numbers[0]}`);
      }
    });
  }

  async #givenUp(id: string): Promise<BatchFile[]> {
    const { ledger } = this.#options;
    const overdue = await ledger.overdue(id, Date.now());
    const isAlive = (file: BatchFile) => file.state !== "waiting" && this.#livesUntil(fileId(file)) > Date.now();
    for (const file of overdue.filter(isAlive)) await ledger.expireLater(file, this.#livesUntil(fileId(file)));
    return overdue.filter((file) => !isAlive(file));
  }

  #livesUntil(id: string): number {
    const heard = this.#places.isWaiting(id) ? Date.now() : this.#started.heardAt(id);
    return heard + abandonedAfterMs;
  }

  async #settle(
    batch: Batch,
    files: number[],
    ending: Ending | undefined,
    key: string,
    more: ReturnType<typeof rememberCancel> = [],
  ): Promise<void> {
    const { ledger } = this.#options;
    // Of one that nobody has started, only an end that somebody asked for is told.
    if (batch.startedAt !== null || ending?.state === "CANCELED") await this.#report(batch, key, { ending });
    await ledger.settle(batch, { files, hasEnded: ending !== undefined, more });
    for (const number of files) this.#leave(fileId({ batch: batch.id, number }));
    if (ending !== undefined) this.#leaveAll(batch.id);
  }

  #leave(id: string): void {
    this.#started.forget([id]);
    this.#places.release((each) => each === id, ended(id));
  }

  #leaveAll(batch: string): void {
    const isOfBatch = (id: string) => parseFileId(id)?.batch === batch;
    this.#started.forgetAll(isOfBatch);
    this.#places.release(isOfBatch, ended(batch));
    this.#underWay.delete(batch);
  }

  async #report(
    batch: Batch,
    key: string,
    { ending, intermediate = false }: { ending?: Ending | undefined; intermediate?: boolean } = {},
  ): Promise<void> {
    const { things, feature } = this.#options;
    const value = lastUpload(batch, ending) as Json;
    await things.report({ feature, path: "lastUpload", value, intermediate, key });
  }

  #progressOf(batch: Batch): number {
    let bytes = 0;
    for (const each of this.#underWayOf(batch.id).values()) bytes += each;
    return progressOf(batch, bytes);
  }

  #underWayOf(batch: string): Map<string, number> {
    const known = this.#underWay.get(batch) ?? new Map<string, number>();
    this.#underWay.set(batch, known);
    return known;
  }

  async #file(id: string): Promise<BatchFile | undefined> {
    const parsed = parseFileId(id);
    return parsed && (await this.#options.ledger.file(parsed.batch, parsed.number));
  }

  /** Undefined also where another run has it: ids come again, and who began an earlier upload has no part in this one. */
  async #fileOf(id: string, run: string): Promise<BatchFile | undefined> {
    const file = await this.#file(id);
    return file?.run === run ? file : undefined;
  }

  async #batchOfFile(id: string): Promise<Batch | undefined> {
    const file = await this.#file(id);
    return file && (await this.#options.ledger.batch(file.batch));
  }

  #inOrder<Value>(act: () => Promise<Value>): Promise<Value> {
    const done = this.#busy.then(act);
    this.#busy = done.catch(() => {});
    return done;
  }
}

function endingOf({ failure }: Batch): Ending {
  const at = Date.now();
  if (failure === null) return { state: "SUCCESS", at };
  return { state: "FAILED", at, statusCode: failure.code, message: failure.message };
}

function expiryOf(files: BatchFile[], batch: Batch): { code: string; message: string } {
  const unconfirmed = files.filter(({ state }) => state === "waiting").length;
  if (unconfirmed > 0)
    return {
      code: "FILE_UPLOAD_REQUEST_EXPIRED",
      message: `${unconfirmed} of ${batch.files} requests were not confirmed in time`,
    };
  return { code: "FILE_UPLOAD_ABANDONED", message: `nothing more was heard of ${files.length} files` };
}

/** Longer than any pause between two attempts. */
const abandonedAfterMs = 24 * 3_600_000;
