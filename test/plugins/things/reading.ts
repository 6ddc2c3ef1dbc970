import assert from "node:assert/strict";
import fc from "fast-check";
import { PluginError } from "../../../host/sdk.ts";
import { readEnvelope } from "../../../plugins/things/envelope.ts";
import { envelopeTexts } from "./envelope-texts.ts";

/** Whatever the text, it is an envelope with all that the rest relies on, or refused with the code for it. */
export function readsOrRefuses(numRuns: number): void {
  let read = 0;
  let refused = 0;
  fc.assert(
    fc.property(envelopeTexts, (text) => {
      try {
        const { topic, thing, path } = readEnvelope(text);
        read += 1;
        assert.equal(typeof path, "string");
        assert.ok(topic.startsWith(`${thing.replace(":", "/")}/`), topic);
      } catch (error) {
        if (!(error instanceof PluginError)) throw error;
        refused += 1;
        assert.equal(error.code, "THINGS_ENVELOPE_INVALID");
        assert.ok(error.message.length > 0 && error.message.length < 200);
        for (const known of Object.values(error.details ?? {})) assert.equal(typeof known, "string");
      }
    }),
    { numRuns },
  );
  // The texts are of both kinds, and many of each.
  assert.ok(read > numRuns / 20, `${read} read`);
  assert.ok(refused > numRuns / 20, `${refused} refused`);
}
