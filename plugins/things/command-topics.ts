// The MQTT topics of commands and their answers: `command/<tenant>/<device>/req/<request id>/<subject>` and the short
// form with `c`, `q` and `s`. The tenant is empty on a device; an empty device is the device itself.

/** What the topic of a command says. */
export interface CommandTopic {
  form: "long" | "short";
  /** Empty for the device itself. */
  device: string;
  /** Empty where there is none. */
  requestId: string;
  /** The rest: what the hub calls the command. */
  subject: string;
}

/** `undefined` where the topic is none of a command. */
export function parseCommandTopic(topic: string): CommandTopic | undefined {
  const [root, , device, kind, requestId = "", ...subject] = topic.split("/");
  const form = root === "command" && kind === "req" ? "long" : root === "c" && kind === "q" ? "short" : undefined;
  return form === undefined ? undefined : { form, device: device!, requestId, subject: subject.join("/") };
}

/** Filters for all commands of a device; of its empty id only the long form exists at hubs, of both at connectors. */
export function commandFilters(device: string, forms: { short: boolean }): string[] {
  return [`command//${device}/req/#`, ...(forms.short ? [`c//${device}/q/#`] : [])];
}

/** Where the answer to a command goes, but for the status, which is the last level. */
export function answerTopic({ form, device, requestId }: CommandTopic): string {
  return form === "long" ? `command//${device}/res/${requestId}/` : `c//${device}/s/${requestId}/`;
}
