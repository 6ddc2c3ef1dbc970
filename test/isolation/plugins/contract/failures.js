import { PluginError } from "gantry";

export const failures = {
  coded: () =>
    new PluginError("CONTRACT_BROKEN", "it broke", {
      details: { part: 3, list: [null] },
      answer: { status: 409, error: "x:y" },
    }),
  final: () => new PluginError("CONTRACT_BROKEN", "for good", { retryable: false }),
  undeclared: () => new PluginError("NEVER_DECLARED", "unknown"),
  plain: () => new TypeError("just an error"),
  system: () => Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT", errno: -2 }),
  text: () => "only a text",
  nothing: () => undefined,
  circular: () => {
    const details = {};
    details.self = details;
    return new PluginError("CONTRACT_BROKEN", "round", { details });
  },
};
