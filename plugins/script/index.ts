import { join } from "node:path";
import { definePlugin } from "gantry";
import { Pipes } from "./pipes.ts";
import type { Config } from "./plugin.types.ts";
import { run } from "./steps/run.ts";

export default definePlugin<Config>({
  setup({ config, directory }) {
    const pipes = new Pipes(join(directory, "pipes"));
    return { steps: { run: run(config, pipes) }, stop: () => pipes.stop() };
  },
});
