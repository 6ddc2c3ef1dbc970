import { Turns } from "gantry/toolkit/turns";

/** By folder or archive, of all steps and runs of this plugin. */
export const turns = new Turns();
