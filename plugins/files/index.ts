import { definePlugin } from "gantry";
import type { Config } from "./plugin.types.ts";
import { move } from "./steps/move.ts";
import { remove } from "./steps/remove.ts";
import { select } from "./steps/select.ts";
import { write } from "./steps/write.ts";

export default definePlugin<Config>({
  setup({ config }) {
    return { steps: { write: write(config), move: move(config), remove: remove(config), select: select(config) } };
  },
});
