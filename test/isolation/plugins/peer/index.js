import { definePlugin, PluginError } from "gantry";

export default definePlugin({
  setup() {
    let stream;
    return {
      services: {
        peer: {
          async answer(question) {
            if (question === "why")
              throw new PluginError("PEER_SILENT", "no answer", { retryable: false, details: { question } });
            return { question };
          },
          items({ items }, listener) {
            stream = { items, listener };
            return () => {
              stream = undefined;
            };
          },
          async send() {
            const acknowledged = [];
            for (const item of stream?.items ?? [])
              acknowledged.push(
                await stream.listener(item).then(
                  () => true,
                  ({ code }) => code,
                ),
              );
            return acknowledged;
          },
        },
      },
    };
  },
});
