// @ts-check
import { definePlugin } from "gantry";
import { received } from "./triggers/received.js";

export default definePlugin({ setup: () => ({ triggers: { received } }) });
