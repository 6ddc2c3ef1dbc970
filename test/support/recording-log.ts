import type { HostLog } from "../../host/log.ts";

export interface LogLine {
  level: "debug" | "info" | "warn" | "error";
  text: string;
  fields: Record<string, unknown>;
}

/** A log that keeps its lines, and those of its children. */
export function recordingLog(lines: LogLine[], shared: Record<string, unknown> = {}): HostLog {
  const write =
    (level: LogLine["level"]) =>
    (text: string, fields: Record<string, unknown> = {}) =>
      void lines.push({ level, text, fields: { ...shared, ...fields } });
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (fields) => recordingLog(lines, { ...shared, ...fields }),
  };
}
