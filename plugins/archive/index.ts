import { join } from "node:path";
import { definePlugin } from "gantry";
import type { Config } from "./plugin.types.ts";
import { Records } from "./records.ts";
import { create } from "./steps/create.ts";
import { extract } from "./steps/extract.ts";

export default definePlugin<Config>({
  setup({ config, directory }) {
    const records = new Records(join(directory, "records"));
    return { steps: { extract: extract(config, records), create: create(config, records) } };
  },
});
