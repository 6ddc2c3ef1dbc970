// Written by `gantry plugin types`; do not edit.

export interface Config {
  /**
   * Where the lights are.
   */
  folder: string;
}

export interface SetInput {
  /**
   * Its name, as in `ls /sys/class/leds`.
   */
  led: string;
  /**
   * 0 is off.
   */
  brightness: number;
}

export interface SetOutput {
  brightness: number;
  /**
   * What it was before the run first touched it.
   */
  before: number;
}
