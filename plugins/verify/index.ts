import { definePlugin } from "gantry";
import type { Config } from "./plugin.types.ts";
import { checksum } from "./steps/checksum.ts";
import { signature } from "./steps/signature.ts";

export default definePlugin<Config>({ setup: ({ config }) => ({ steps: { checksum, signature: signature(config) } }) });
