import { type JsonObject, PluginError, type Step } from "../../sdk.ts";
import type { FailInput, FailOutput } from "../plugin.types.ts";

export const fail: Step<FailInput, FailOutput> = {
  async run({ code, message, details, retryable }) {
    throw new PluginError(code, message, {
      retryable,
      ...(details === undefined ? {} : { details: details as JsonObject }),
    });
  },
  plan: ({ code, message }) => `fails with ${code}: ${message}`,
};
