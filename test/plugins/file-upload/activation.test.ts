import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, JsonObject } from "../../../host/sdk.ts";
import { type Activation, nextTick } from "../../../plugins/file-upload/activation.ts";
import plugin from "../../../plugins/file-upload/index.ts";
import manifest from "../../../plugins/file-upload/plugin.json" with { type: "json" };
import { formatTimestamp, parseTimestamp } from "../../../plugins/file-upload/timestamps.ts";

const at = (text: string) => Date.parse(text);
const hour = 3_600_000;
const now = at("2030-01-01T12:00:00Z");
const active = (more: Partial<Activation> = {}): Activation => ({
  id: "one",
  active: true,
  from: null,
  till: null,
  ...more,
});
const ticked = (lastAt: number, activation = "one") => ({ activation, count: 1, lastAt });

test("the first tick is at the beginning of the window, or at once where that has passed or there is none", () => {
  assert.equal(nextTick(active(), undefined, hour, now), now);
  assert.equal(nextTick(active({ from: "2030-01-01T13:00:00Z" }), undefined, hour, now), now + hour);
  assert.equal(nextTick(active({ from: "2030-01-01T11:00:00Z" }), undefined, hour, now), now);
});

test("the next one is a period later; what was missed is made up for once", () => {
  assert.equal(nextTick(active(), ticked(now - 10), hour, now), now - 10 + hour);
  assert.equal(nextTick(active(), ticked(now - 50 * hour), hour, now), now);
});

test("a window ends at its time, and one wholly in the past has no tick at all", () => {
  const till = "2030-01-01T12:30:00Z";
  assert.equal(nextTick(active({ till }), ticked(now), hour, now), undefined);
  assert.equal(nextTick(active({ till }), undefined, hour, now), now);
  assert.equal(
    nextTick(active({ from: "2029-01-01T00:00:00Z", till: "2029-02-01T00:00:00Z" }), undefined, hour, now),
    undefined,
  );
  assert.equal(nextTick(active({ from: till, till }), undefined, hour, now), undefined);
});

test("another activation begins with a tick of its own, and none is none", () => {
  assert.equal(nextTick(active(), ticked(now, "another"), hour, now), now);
  assert.equal(nextTick(active({ active: false }), undefined, hour, now), undefined);
});

test("a configured period that is none ends the start, as in the original; empty times are none", async () => {
  const setUp = (config: JsonObject) => {
    const { config: schema } = manifest as unknown as { config: JsonObject };
    const { properties } = schema as { properties: Record<string, { default?: Json }> };
    const defaults = Object.entries(properties).map(([name, { default: value }]) => [name, value]);
    return (plugin.setup as (context: unknown) => Promise<unknown>)({
      config: { ...Object.fromEntries(defaults), files: "*", ...config },
      services: {},
      keyValue: {},
      database: () => {
        throw new Error("it went on");
      },
    });
  };
  const wrong: [JsonObject, string][] = [
    [{ period: "0s" }, "period must be longer than zero"],
    [{ requestTimeout: "0s" }, "requestTimeout must be longer than zero"],
    [{ activeFrom: "tomorrow" }, "activeFrom and activeTill are times of RFC 3339"],
    [{ activeTill: "2030-01-01" }, "activeFrom and activeTill are times of RFC 3339"],
    [
      { activeFrom: "2030-01-02T00:00:00Z", activeTill: "2030-01-01T00:00:00Z" },
      "period end - 2030-01-01 00:00:00 +0000 UTC -  is before period start - 2030-01-02 00:00:00 +0000 UTC",
    ],
  ];
  for (const [config, message] of wrong)
    await assert.rejects(setUp(config), { code: "FILE_UPLOAD_PERIOD_INVALID", message });
  await assert.rejects(setUp({ activeFrom: "", activeTill: "" }), { message: "it went on" });
});

test("times keep their offset and lose needless zeros; what is no time is none", () => {
  const { text, epochMs, goText } = parseTimestamp("2030-01-01T12:00:00.120300+05:30")!;
  assert.equal(text, "2030-01-01T12:00:00.1203+05:30");
  assert.equal(epochMs, at("2030-01-01T06:30:00.120Z"));
  assert.equal(goText, "2030-01-01 12:00:00.1203 +0530 +0530");
  for (const wrong of [
    "2030-02-30T00:00:00Z",
    "2030-01-01T24:00:00Z",
    "2030-01-01 00:00:00Z",
    "2030-01-01T00:00:00",
    "",
  ])
    assert.equal(parseTimestamp(wrong), undefined, wrong);
});

test("times are written with the local offset", () => {
  const zone = process.env.TZ;
  try {
    for (const [name, text] of [
      ["UTC", "2030-01-01T12:00:00.05Z"],
      ["Asia/Kolkata", "2030-01-01T17:30:00.05+05:30"],
      ["America/St_Johns", "2030-01-01T08:30:00.05-03:30"],
    ] as const) {
      process.env.TZ = name;
      assert.equal(formatTimestamp(now + 50), text);
    }
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});
