// Written by `gantry plugin types`; do not edit.

import type { Stop } from "gantry";

export interface Config {}

export interface LookInput {}

export interface LookOutput {
  load: number;
  freeMemoryBytes: number;
}

export interface MachineLookOutput {
  /**
   * The mean of the last minute, for each processor.
   */
  load: number;
  freeMemoryBytes: number;
}

export interface MachineSamplesOptions {
  everyMs: number;
}

export interface MachineSamplesItem {
  load: number;
  freeMemoryBytes: number;
}

/** How much the machine has to do. */
export type MachineService = {
  /** As it is now. */
  look(): Promise<MachineLookOutput>;
  /** As it is every so often; the next one comes when the listener's promise has resolved. */
  samples(options: MachineSamplesOptions, listener: (item: MachineSamplesItem) => Promise<void>): Promise<Stop>;
};
