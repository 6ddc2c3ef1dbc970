import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog } from "../host/log.ts";
import { maskLine } from "../host/mask-line.ts";
import { registerSecret } from "../host/secrets.ts";

/** The line that `createLog` makes of one message. */
function lineOf(pretty: boolean, text: string, fields: Record<string, unknown> = {}): string {
  let line = "";
  const write = (written: string) => {
    line = written;
  };
  createLog({ level: "info", pretty, write }).info(text, fields);
  return line;
}

test("a secret of several lines is hidden in both forms", () => {
  registerSecret("-----BEGIN KEY-----\nc29tZSBieXRlcw\n-----END KEY-----\n");
  const key = "-----BEGIN KEY-----\nc29tZSBieXRlcw\n-----END KEY-----\n";
  for (const pretty of [false, true]) {
    const line = lineOf(pretty, `read ${key}`, { key, all: [{ key }] });
    assert.ok(!line.includes("c29tZSBieXRlcw"), line);
    assert.equal(line.split("***").length - 1, 3, line);
  }
});

test("a line with masked numbers, names and truth stays JSON", () => {
  registerSecret("48151623");
  registerSecret("true");
  const line = lineOf(false, "it is 48151623", {
    pin: 48151623,
    other: 7,
    x48151623: { deep: [48151623.5] },
    on: true,
  });
  const { time: _, ...others } = JSON.parse(line);
  assert.deepEqual(others, {
    level: "info",
    msg: "it is ***",
    pin: "***",
    other: 7,
    "x***": { deep: ["***.5"] },
    on: true,
  });
});

test("a secret that is also a level or part of a time leaves both alone", () => {
  registerSecret("info");
  registerSecret(String(new Date().getUTCFullYear()));
  const { level, time, msg } = JSON.parse(lineOf(false, "info for you"));
  assert.deepEqual([level, msg], ["info", "*** for you"]);
  assert.equal(new Date(time).toISOString(), time);
  assert.match(lineOf(true, "info for you"), /info {2}\*\*\* for you/);
});

test("a line without a secret is passed on as it is", () => {
  const line = '{"level":"warn","time":"1970-01-01T00:00:00.000Z","a":1,"msg":"nothing here"}\n';
  assert.equal(maskLine(line), line);
});
