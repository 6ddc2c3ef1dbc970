// Answers to commands. Where one goes and how it is to look is fixed when the command comes, as JSON: the answer may be
// given after a restart, when the feature is not registered any more.

import type { Json, JsonObject, Outcome } from "gantry";
import type { Entry } from "./entries.ts";
import { writeEnvelope } from "./envelope.ts";
import type { AnswerRules, FeatureAddress, Refusal } from "./service.ts";

/** A command's `reply`. */
export interface Reply {
  /** Whose lane the answer takes; null: of no feature. */
  feature: FeatureAddress | null;
  /** The MQTT topic but for the status. */
  mqttTopic: string;
  topic: string;
  path: string;
  correlationId: string;
  contentType: "with-value" | "always";
  responseRequired: boolean;
}

/** What is answered: a value or null for a success, or a refusal. */
export type Result = { status: number; value: Json } | Refusal;

export type Rules = Required<AnswerRules>;

const defaultRules: Rules = {
  withoutRequestId: "drop",
  withoutHeaders: "refuse",
  checkHeaders: false,
  contentType: "with-value",
  responseRequired: true,
  invalidInput: "{reason}",
};

/** Those that are given, before the defaults. */
export function rulesOf(...given: (AnswerRules | undefined)[]): Rules {
  const names = Object.keys(defaultRules) as (keyof AnswerRules)[];
  return Object.fromEntries(
    names.map((name) => [
      name,
      given.map((rules) => rules?.[name]).find((rule) => rule !== undefined) ?? defaultRules[name],
    ]),
  ) as unknown as Rules;
}

/** The envelope's status is that of the topic; an error's value repeats it. */
export function answerEntry(reply: Reply, result: Result): Extract<Entry, { kind: "answer" }> {
  const { mqttTopic, topic, path, correlationId, contentType, responseRequired } = reply;
  const { status } = result;
  const value =
    "error" in result ? { error: result.error, status, message: result.message } : (result.value ?? undefined);
  const headers: JsonObject = {
    ...(value !== undefined || contentType === "always" ? { "content-type": "application/json" } : {}),
    "correlation-id": correlationId,
    ...(responseRequired ? { "response-required": false } : {}),
  };
  return {
    kind: "answer",
    topic: `${mqttTopic}${status}`,
    text: writeEnvelope({ topic, headers, path, value, status }),
  };
}

export function parameterInvalid(message: string): Refusal {
  return { status: 400, error: "messages:parameter.invalid", message };
}

export function executionFailed(message: string): Refusal {
  return { status: 500, error: "messages:execution.failed", message };
}

/**
 * How a run went, as an answer: its output, if it has one and it is asked for, or its error with the status that the
 * error asks for.
 */
export function resultOf({ status, output, error }: Outcome, withOutput: boolean): Result {
  if (status === "succeeded")
    return isEmpty(output) || !withOutput ? { status: 204, value: null } : { status: 200, value: output };
  const message = error?.message ?? `the run was ${status}`;
  const { status: wanted = 500, error: code } = error?.answer ?? {};
  const usual = wanted >= 500 ? "messages:execution.failed" : "messages:parameter.invalid";
  return { status: wanted, error: code ?? usual, message };
}

const isEmpty = (output: Json) =>
  output === null || (typeof output === "object" && !Array.isArray(output) && Object.keys(output).length === 0);

/** Puts values in the places of `{name}`. */
export function fill(template: string, values: Record<string, string>): string {
  return template.replaceAll(/\{(\w+)\}/g, (place, name: string) =>
    Object.hasOwn(values, name) ? values[name]! : place,
  );
}
