// Written by `gantry plugin types`; do not edit.

export interface Config {}

export interface AboveOptions {
  /**
   * For each processor; 1 keeps all of them busy.
   */
  load: number;
  /**
   * How often it is looked at.
   */
  everyMs: number;
}

export interface AboveEmitted {
  load: number;
  freeMemoryBytes: number;
}
