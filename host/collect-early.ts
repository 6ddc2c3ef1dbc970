// A host runs for months on a device with little memory. V8 lets garbage grow to a multiple of what is in use before it
// collects the old generation, the more so the more memory the machine has; here it collects earlier.

import { setFlagsFromString } from "node:v8";

/** Garbage may take this share of what is in use, in percent. */
const garbagePercent = 60;

export function collectEarly(): void {
  setFlagsFromString(`--heap-growing-percent=${garbagePercent}`);
}
