import { definePlugin } from "gantry";
import { checksum } from "./steps/checksum.ts";

export default definePlugin({ setup: () => ({ steps: { checksum } }) });
