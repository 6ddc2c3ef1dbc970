import { definePlugin, type PluginContext } from "gantry";
import type { Mqtt } from "../../../../plugins/mqtt/service.ts";

export default definePlugin({
  setup({ services }: PluginContext<object, { mqtt: Mqtt }>) {
    return {
      steps: {
        say: {
          async run({ text }: { text: string }) {
            await services.mqtt.publish({ topic: "said", payload: { text } });
            return {};
          },
        },
      },
    };
  },
});
