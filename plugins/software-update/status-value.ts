// What a status looks like on the wire.

import type { Json, JsonObject } from "gantry";
import type { Config, ReportInput } from "./plugin.types.ts";

/** The value of `lastOperation` and `lastFailedOperation`; `progress` has been worked out. */
export function statusValue(
  input: ReportInput,
  progress: number | null,
  correlationKey: Config["correlationKey"],
): JsonObject {
  const { module, software, status, path = "" } = input;
  const said = saidIn(input);
  const message = input.message ?? said.message ?? "";
  const statusCode = input.statusCode ?? codeOf(input) ?? said.statusCode ?? "";
  return {
    [correlationKey]: input.correlationId ?? module?.correlationId ?? "",
    status,
    ...(module === undefined
      ? {}
      : { softwareModule: { name: module.name, version: module.version, ...(path === "" ? {} : { path }) } }),
    ...(software === undefined ? {} : { software: software as Json }),
    ...(progress === null ? {} : { progress }),
    ...(message === "" ? {} : { message }),
    ...(statusCode === "" ? {} : { statusCode }),
  };
}

function codeOf({ exitCode, signal }: ReportInput): string | undefined {
  if (exitCode !== undefined && exitCode !== null) return String(exitCode);
  // What aborts an operation is a signal, too, and has another name.
  return /^SIG[A-Z0-9]+$/.test(signal ?? "") ? "-1" : undefined;
}

/** The progress that a report says, or null; undefined: it has nothing to say. */
export function progressOf(input: ReportInput): number | null | undefined {
  const { progress, doneBytes, totalBytes } = input;
  if (progress !== undefined && progress !== null) return progress;
  if (totalBytes !== undefined && totalBytes !== null) {
    if (totalBytes <= 0) return undefined;
    // That all is there is said once it has been verified.
    return Math.max(0, Math.min(99, Math.round(((doneBytes ?? 0) / totalBytes) * 100)));
  }
  const said = saidIn(input).progress ?? 0;
  return said > 0 ? said : null;
}

/** What a script said; a failure that is none of a script's may have something else in that place. */
function saidIn({ said }: ReportInput): { message?: string; statusCode?: string; progress?: number } {
  if (typeof said !== "object" || said === null) return {};
  const { message, statusCode, progress } = said as Record<string, unknown>;
  return {
    ...(typeof message === "string" ? { message } : {}),
    ...(typeof statusCode === "string" ? { statusCode } : {}),
    ...(Number.isInteger(progress) ? { progress: progress as number } : {}),
  };
}
