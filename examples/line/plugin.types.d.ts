// Written by `gantry plugin types`; do not edit.

export interface Config {}

export interface ReceivedOptions {
  /**
   * 0: a free one, which the log names.
   */
  port: number;
}

export interface ReceivedEmitted {
  [k: string]: unknown;
}
