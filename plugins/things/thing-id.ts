// Ids of things are `namespace:name`; the namespace may be empty.

/** A namespace like a Java package, a colon, and a name without control characters and slashes; 256 characters at most. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what ids must not hold
const form = /^(?:[a-zA-Z]\w*(?:[.-][a-zA-Z]\w*)*)?:[^\x00-\x1f\x7f-\xff/]+$/;

export function isThingId(text: string): boolean {
  return text.length <= 256 && form.test(text);
}

/** `namespace/name`, as the topic of an envelope begins. */
export function topicOf(thing: string): string {
  const colon = thing.indexOf(":");
  return `${thing.slice(0, colon)}/${thing.slice(colon + 1)}`;
}
