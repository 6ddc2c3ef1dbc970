import type { Progress, StepContext } from "gantry";
import type { Status } from "./status.ts";

/** Hands on what is new, and remembers what was said last. */
export class StatusReports {
  readonly #progress: StepContext["progress"];
  last: Status = {};

  constructor(progress: StepContext["progress"]) {
    this.#progress = progress;
  }

  say(status: Status): void {
    if (JSON.stringify(status) === JSON.stringify(this.last)) return;
    this.last = status;
    const { message, statusCode, progress } = status;
    const report: Progress = {
      ...(progress === undefined ? {} : { percent: progress }),
      ...(message === undefined ? {} : { message }),
      ...(statusCode === undefined ? {} : { details: { statusCode } }),
    };
    this.#progress(report);
  }
}
