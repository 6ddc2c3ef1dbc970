import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { createLog } from "../host/log.ts";
import { registerSecret } from "../host/secrets.ts";

/** A log, and the lines it has written. */
function keptLog(pretty: boolean, level = "debug") {
  const lines: string[] = [];
  return { log: createLog({ level, pretty, write: (line) => void lines.push(line) }), lines };
}

test("each message is one JSON object with level, time, text and the fields of message and log", () => {
  const { log, lines } = keptLog(false);
  log.child({ run: "r1", workflow: "greet" }).child({ step: "work" }).warn("too hot", { celsius: 91 });
  assert.equal(lines.length, 1);
  assert.ok(lines[0]!.endsWith("}\n"));
  const { time, ...others } = JSON.parse(lines[0]!);
  assert.equal(new Date(time).toISOString(), time);
  assert.deepEqual(others, { level: "warn", msg: "too hot", run: "r1", workflow: "greet", step: "work", celsius: 91 });
});

test("a field cannot pass for what the line says by itself, or for what its log says of each line", () => {
  const { log, lines } = keptLog(false);
  const own = log.child({ plugin: "lamp" });
  own.info("it is on", { plugin: "things", level: "error", run: "r1" });
  own.child({ plugin: "mqtt", run: "r2" }).info("it is off", { run: "r3", plugin: "lamp" });
  const [first, second] = lines.map((line) => JSON.parse(line));
  assert.deepEqual([first.plugin, first.plugin_, first.level, first.level_], ["lamp", "things", "info", "error"]);
  assert.deepEqual([second.plugin, second.plugin_, second.run, second.run_], ["lamp", "mqtt", "r2", "r3"]);
  assert.ok(lines.every((line) => line.split('"plugin":').length === 2));
});

test("what lies below the level is not written, and silent writes nothing", () => {
  const { log, lines } = keptLog(false, "warn");
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).msg),
    ["c", "d"],
  );
  const quiet = keptLog(false, "silent");
  quiet.log.error("e");
  assert.deepEqual(quiet.lines, []);
});

test("an error keeps its message, code and stack", () => {
  const { log, lines } = keptLog(false);
  log.error("it failed", { err: Object.assign(new Error("no lamp"), { code: "LAMP_MISSING" }) });
  const { err } = JSON.parse(lines[0]!);
  assert.deepEqual([err.message, err.code], ["no lamp", "LAMP_MISSING"]);
  assert.match(err.stack, /log\.test\.ts/);
});

for (const pretty of [false, true]) {
  const form = pretty ? "readable" : "JSON";

  test(`a registered secret appears in no ${form} line, in text, fields or errors`, () => {
    const secret = 'p"4ss/wörd 99';
    registerSecret(secret);
    const { log, lines } = keptLog(pretty);
    const basic = Buffer.from(`user:${secret}`).toString("base64");
    log
      .child({ password: secret })
      .info(`signing in with ${secret}`, { header: `Basic ${basic}`, err: new Error(secret) });
    assert.ok(lines[0]!.includes("***"));
    for (const hidden of [secret, JSON.stringify(secret).slice(1, -1), basic.slice(8, -4)])
      assert.ok(!lines[0]!.includes(hidden), lines[0]!);
  });

  test(`control characters in text, fields and their names forge no second ${form} line`, () => {
    const { log, lines } = keptLog(pretty);
    const forged = "fine\r\n12:00:00 error stolen\u2028\u2029\u0085\u001b[2J\u001b]0;title\u0007\u0000\u009b31m";
    log.info(forged, { [forged]: forged, nested: { deep: [forged] }, err: new Error(forged) });
    assert.equal(lines.length, 1);
    const line = lines[0]!;
    assert.ok(line.endsWith("\n"));
    // The colours of a terminal are our own.
    const bare = pretty ? line.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g"), "") : line;
    // JSON escapes what ends a line or drives a terminal below U+0020, and keeps the rest.
    const acts = (character: string) => (pretty ? /[\p{Cc}\p{Zl}\p{Zp}]/u.test(character) : character < " ");
    assert.deepEqual([...bare.slice(0, -1)].filter(acts), []);
    assert.ok(line.includes("stolen"));
    if (!pretty) assert.equal(JSON.parse(line).msg, forged);
  });
}

test("the readable form shows clock, level, text, fields and the reason of an error", () => {
  const { log, lines } = keptLog(true);
  log.warn("too hot", { celsius: 91, lamp: "left", places: [1, 2], err: new Error("melted") });
  const [clock, line] = stripVTControlCharacters(lines[0]!)
    .match(/^(\S+) (.*)\n$/s)!
    .slice(1) as [string, string];
  assert.match(clock, /^\d\d:\d\d:\d\d$/);
  assert.equal(line, "warn  too hot celsius=91 lamp=left places=[1,2] error=melted");
});

test("by default lines go to standard error at once, as JSON where it is no terminal", () => {
  const module = fileURLToPath(new URL("../host/log.ts", import.meta.url));
  const program = `import { createLog } from ${JSON.stringify(module)};
const log = createLog({ level: "info" });
for (let line = 1; line <= 500; line++) log.info("line " + line);
process.kill(process.pid, "SIGKILL");`;
  const { stdout, stderr, signal } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", program], {
    encoding: "utf8",
  });
  assert.equal(signal, "SIGKILL");
  assert.equal(stdout, "");
  const lines = stderr.split("\n").slice(0, -1);
  assert.equal(lines.length, 500);
  assert.equal(JSON.parse(lines.at(-1)!).msg, "line 500");
});

for (const pretty of [false, true]) {
  test(`a plugin's field named like the line's own is kept under another name (${pretty ? "readable" : "JSON"})`, () => {
    const { log, lines } = keptLog(pretty);
    log.child({ level: 5 }).info("as it was", { msg: "forged", time: 0 });
    const line = lines.join("");
    if (pretty) assert.match(line, /^\d\d:\d\d:\d\d info {2}as it was level_=5 msg_=forged time_=0\n$/);
    else {
      for (const name of ["level", "time", "msg"]) assert.equal(line.split(`"${name}":`).length, 2, line);
      const { time: _, ...others } = JSON.parse(line);
      assert.deepEqual(others, { level: "info", msg: "as it was", level_: 5, msg_: "forged", time_: 0 });
    }
  });
}
