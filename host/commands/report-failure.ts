import { toFailure } from "../errors.ts";
import { plain } from "../terminal/plain.ts";

/** Says on standard error why a command failed and what to do; gives its exit code. */
export function reportFailure(error: unknown): number {
  const { code, message, remedy } = toFailure(error);
  // Without a code it is a mistake of our own, and its place is what helps.
  const text =
    code === "STEP_FAILED" && error instanceof Error
      ? (error.stack ?? message)
      : `gantry: ${plain(`${message} (${code})`)}`;
  process.stderr.write(`${text}\n${remedy === undefined || code === "STEP_FAILED" ? "" : `${plain(remedy)}\n`}`);
  return 1;
}
