// Texts for the reader of envelopes: whole ones, ones with a part replaced by anything, and anything.

import fc from "fast-check";

const whole = {
  topic: "org.example/gateway-1/things/live/messages/light",
  headers: { "correlation-id": "c1", "response-required": true },
  path: "/features/Lamp/inbox/messages/light",
  value: { colour: "red" },
};

const anyCase = (word: string) =>
  fc.mixedCase(fc.constant(word), {
    toggleCase: (letter) => (letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase()),
  });

const replaced = fc
  .record({
    name: fc.constantFrom("topic", "headers", "path", "value", "status", "fields", "__proto__"),
    value: fc.jsonValue({ maxDepth: 4 }),
    remove: fc.constantFrom("topic", "headers", "path", "value", "none"),
  })
  .map(({ name, value, remove }) => {
    const entries = Object.entries(whole).filter(([key]) => key !== remove && key !== name);
    return JSON.stringify(Object.fromEntries([...entries, [name, value]]));
  });

const cut = fc
  .tuple(fc.nat(250), fc.nat(250), fc.string({ maxLength: 5, unit: "binary" }))
  .map(([from, length, text]) => {
    const sound = JSON.stringify(whole);
    return sound.slice(0, from) + text + sound.slice(from + length);
  });

const renamed = fc.tuple(...Object.keys(whole).map(anyCase)).map((names) => {
  const values = Object.values(whole);
  return JSON.stringify(Object.fromEntries(names.map((name, index) => [name, values[index]])));
});

export const envelopeTexts = fc.oneof(replaced, cut, renamed, fc.json({ maxDepth: 5 }), fc.string({ unit: "binary" }));
