import type { StepContext } from "gantry";

/** How far apart reports are when nobody says how much is to come. */
const strideBytes = 1 << 20;

export type Report = (receivedBytes: number, expectedBytes: number | undefined) => void;

/** Tells of every percent, or of every MiB where the size is not known. */
export function reporter(progress: StepContext["progress"]): Report {
  let last = -1;
  return (receivedBytes, expectedBytes) => {
    const known = expectedBytes !== undefined && expectedBytes > 0;
    const percent = known ? Math.floor((receivedBytes / expectedBytes) * 100) : undefined;
    const mark = percent ?? Math.floor(receivedBytes / strideBytes);
    if (mark === last) return;
    last = mark;
    const details = { bytes: receivedBytes, ...(known ? { totalBytes: expectedBytes } : {}) };
    progress({ ...(percent === undefined ? {} : { percent }), details });
  };
}
