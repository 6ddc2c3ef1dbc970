import { Turns } from "gantry/toolkit/turns";

/** By path, of all steps and runs of this plugin. */
export const turns = new Turns();
