// What a program says of its own progress: lines of `message=`, `statusCode=` and `progress=`.

export interface Status {
  message?: string;
  /** Anything the program means by it. */
  statusCode?: string;
  /** Percent. */
  progress?: number;
}

/**
 * A whole file: the last line of each kind counts, unknown ones do not. Undefined where it is not complete or not a
 * status: no line end at the end, no known line, or a progress that is no number from 0 to 100.
 */
export function parseStatus(text: string): Status | undefined {
  if (!text.endsWith("\n")) return undefined;
  let status: Status | undefined;
  for (const line of text.split("\n")) {
    const said = parseStatusLine(line);
    if (said === "invalid") return undefined;
    if (said !== undefined) status = { ...status, ...said };
  }
  return status;
}

/** Undefined: nothing known. */
export function parseStatusLine(line: string): Status | "invalid" | undefined {
  const [, key, value] = line.match(/^(message|statusCode|progress)=(.*?)\r?$/s) ?? [];
  if (key === undefined || value === undefined) return undefined;
  if (key !== "progress") return { [key]: value };
  return /^\d{1,3}$/.test(value) && Number(value) <= 100 ? { progress: Number(value) } : "invalid";
}
