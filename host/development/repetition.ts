// Runs steps alone with inputs they were given before, and tells what came of it; a later repetition ends an earlier one.

import { rm } from "node:fs/promises";
import { systemClock } from "../clock.ts";
import { namesSecret } from "../engine/run-secrets.ts";
import { GantryError, toFailure } from "../errors.ts";
import type { Host } from "../host.ts";
import type { HostLog } from "../log.ts";
import { performAlone } from "../testing/lone-step.ts";
import type { DevEvent } from "./events.ts";
import type { GivenStep } from "./last-inputs.ts";

export interface RepetitionOptions {
  dataDirectory: string;
  log: HostLog;
  tell: (event: DevEvent) => void;
}

export class Repetition {
  readonly #options: RepetitionOptions;
  #controller = new AbortController();

  constructor(options: RepetitionOptions) {
    this.#options = options;
  }

  begin(steps: readonly GivenStep[], host: Host | undefined): void {
    this.end();
    this.#controller = new AbortController();
    if (host !== undefined) void this.#repeat(steps, host, this.#controller);
  }

  end(): void {
    this.#controller.abort(new GantryError("RUN_CANCELLED", "the step is not waited for any more"));
  }

  async #repeat(steps: readonly GivenStep[], host: Host, controller: AbortController): Promise<void> {
    for (const { uses, input } of steps) {
      if (controller.signal.aborted) return;
      this.#options.tell({ event: "again", uses, input });
      const ended = await this.#perform({ uses, input }, host, controller).catch((error: unknown) => failed(error));
      if (!controller.signal.aborted) this.#options.tell({ event: "ended", uses, ...ended });
    }
  }

  async #perform({ uses, input }: GivenStep, host: Host, controller: AbortController) {
    const { dataDirectory, log, tell } = this.#options;
    if (namesSecret(input))
      return failed(new GantryError("SECRET_MISSING", "the secrets that came with its input are not kept"));
    const { result, run, directory } = await performAlone(
      { uses, input },
      {
        findStep: host.plugins.stepWhenReady,
        dataDirectory,
        log,
        clock: systemClock,
        controller,
        onProgress: (progress) => tell({ event: "progress", run, path: "", uses, progress }),
      },
    );
    await rm(directory, { recursive: true, force: true });
    if (result.status === "failed") return { status: "failed" as const, error: result.error };
    if (result.status === "suspended") return failed(new GantryError("HOST_STOPPING", "the host has stopped"));
    const { output, unchanged = false } = result;
    return { status: unchanged ? ("unchanged" as const) : ("succeeded" as const), output };
  }
}

const failed = (error: unknown) => ({ status: "failed" as const, error: toFailure(error) });
