// Topic names and filters: MQTT 3.1.1 section 4.7.

import { PluginError } from "gantry";

/** Throws MQTT_TOPIC_INVALID for what is no topic name [MQTT-4.7.1-1, -4.7.3]. */
export function checkTopic(topic: string): void {
  if (/[+#]/.test(topic)) throw invalid(topic, "a topic to publish to has no + and #");
  checkText(topic);
}

/** Throws MQTT_TOPIC_INVALID for what is no topic filter [MQTT-4.7.1-2, -3]. */
export function checkFilter(filter: string): void {
  checkText(filter);
  const { group, own } = splitShared(filter);
  if (filter.startsWith("$share/") && (group === undefined || own === ""))
    throw invalid(filter, "a shared filter is $share/<group>/<filter>");
  const levels = own.split("/");
  for (const [index, level] of levels.entries()) {
    if (level.includes("+") && level !== "+") throw invalid(filter, "+ stands for a whole level");
    if (level.includes("#") && (level !== "#" || index !== levels.length - 1))
      throw invalid(filter, "# stands alone in the last level");
  }
}

/** `$share/<group>/<own>`, or a filter of one's own. */
export function splitShared(filter: string): { group: string | undefined; own: string } {
  const shared = /^\$share\/([^/+#]+)\/(.*)$/s.exec(filter);
  return shared === null ? { group: undefined, own: filter } : { group: shared[1], own: shared[2]! };
}

/** Whether a message on this topic is delivered for this filter. */
export function matches(filter: string, topic: string): boolean {
  const { own } = splitShared(filter);
  if (own === topic) return true;
  const levels = own.split("/");
  const parts = topic.split("/");
  // Wildcards in the first level do not match topics of the broker's own [MQTT-4.7.2-1].
  if (topic.startsWith("$") && (levels[0] === "+" || levels[0] === "#")) return false;
  for (const [index, level] of levels.entries()) {
    if (level === "#") return true;
    if (index >= parts.length || (level !== "+" && level !== parts[index])) return false;
  }
  return levels.length === parts.length;
}

function checkText(topic: string): void {
  if (topic === "") throw invalid(topic, "it is empty");
  if (topic.includes("\u0000") || !topic.isWellFormed())
    throw invalid(topic, "it holds characters that are not allowed");
  if (Buffer.byteLength(topic) > 65_535) throw invalid(topic.slice(0, 100), "it has more than 65,535 bytes");
}

function invalid(topic: string, why: string): PluginError {
  return new PluginError("MQTT_TOPIC_INVALID", `${JSON.stringify(topic)}: ${why}`, { details: { topic } });
}
