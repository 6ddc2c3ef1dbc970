/** One mistake in a document, at its place. `line` and `column` count from 1, columns in UTF-16 units. */
export interface Fault {
  file: string;
  line: number;
  column: number;
  /** How many UTF-16 units of that line are wrong; for underlining. */
  length: number;
  /** JSON pointer of the value (or of the property) concerned; "" is the whole document. */
  pointer: string;
  code: FaultCode;
  /** What is wrong and what was expected, in one sentence. */
  message: string;
  /** The nearest valid name. */
  suggestion?: string;
  /** A note says what deserves a look; only faults make a document unusable. */
  severity: "fault" | "note";
}

/** What each fault code means and how to put it right; `docs/errors.md` explains the same codes. */
export const faultCatalogue = {
  FILE_UNREADABLE: { description: "A file that is named cannot be read.", remedy: "Check the path and the rights of the file." },
} as const satisfies Record<string, { description: string; remedy: string }>;

export type FaultCode = keyof typeof faultCatalogue;
