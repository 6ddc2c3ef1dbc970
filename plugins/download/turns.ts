import { Turns } from "gantry/toolkit/turns";

/** By file, of all steps and runs of this plugin. */
export const turns = new Turns();
