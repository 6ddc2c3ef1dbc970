import { type Json, type JsonObject, PluginError, parseDuration, type Step } from "gantry";
import type { RequestInput, RequestOutput } from "../plugin.types.ts";
import { correlationIdOf, type Responses } from "../responses.ts";
import type { Things } from "../service.ts";

export function request(things: Pick<Things, "send">, responses: Responses): Step<RequestInput, RequestOutput> {
  return {
    plan: ({ feature, subject, response }) =>
      `sends the message ${subject} of feature ${feature}${response ? " and waits for its response" : ""}`,
    async run(input, { idempotencyKey: key, signal }) {
      const { thing, feature, subject, value, responseRequired, replyTo, headers, response, timeout } = input;
      const { correlationId = response ? correlationIdOf(key) : undefined } = input;
      const message = {
        ...(thing === undefined ? {} : { thing }),
        feature,
        subject,
        value: (value ?? null) as Json,
        ...(correlationId === undefined ? {} : { correlationId }),
        responseRequired: responseRequired || response,
        replyTo,
        ...(headers === undefined ? {} : { headers: headers as JsonObject }),
        key,
      };
      if (!response) {
        await things.send(message);
        return { ...(correlationId === undefined ? {} : { correlationId }) };
      }
      const text = `no response to the message ${subject} of feature ${feature} within ${timeout}`;
      const late = new AbortController();
      const timer = setTimeout(
        () => late.abort(new PluginError("THINGS_RESPONSE_TIMEOUT", text)),
        parseDuration(timeout)!,
      );
      try {
        const answered = responses.to(correlationId!, AbortSignal.any([signal, late.signal]));
        // It may fail while the message is still being stored.
        answered.catch(() => {});
        await things.send(message);
        return { correlationId: correlationId!, ...(await answered) } as RequestOutput;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
