import { definePlugin, PluginError } from "gantry";

export default definePlugin({
  async setup({ services: { things }, log }) {
    await things.identities({}, async (identity) => log.info("probe: identity", { identity }));
    await things.commands(
      {
        feature: "Probe",
        operations: ["repeat", "refuse", "later"],
        schema: { properties: { correlationId: {} } },
        withoutRequestId: "run",
      },
      async ({ operation, value, reply, ...about }) => {
        log.info("probe: command", { operation, value, about });
        if (operation === "later") throw new Error("not now");
        const answer =
          operation === "repeat"
            ? { status: 200, value }
            : { status: 404, error: "probe:nothing.found", message: "there is nothing" };
        await things.answer({ to: reply, ...answer, key: `probe/${about.requestId}` });
        await things.answer({ to: reply, ...answer, key: `probe/${about.requestId}` });
      },
    );
    return {
      triggers: {
        late: {
          start: async () => {
            await new Promise((resolve) => setTimeout(resolve, 2000));
            return () => {};
          },
        },
      },
      steps: {
        fail: {
          run: async (answer) => {
            throw new PluginError("PROBE_FAILED", "it was told to", { answer });
          },
        },
        call: {
          run: async ({ method, argument }) => {
            try {
              return { result: (await things[method](argument)) ?? null };
            } catch (error) {
              return { result: error.code };
            }
          },
        },
      },
    };
  },
});
