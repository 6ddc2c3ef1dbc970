import { definePlugin } from "gantry";
import { machine } from "./service.ts";

export default definePlugin({
  setup: () => ({ steps: { look: { run: machine.look } }, services: { machine } }),
});
