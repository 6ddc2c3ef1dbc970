import assert from "node:assert/strict";
import { test } from "node:test";
import { running } from "./running.ts";

const tailBytes = 16 * 1024;

test("of a long output the last 16 KiB are kept, from the beginning of a character on", async () => {
  // Characters of 1 to 4 bytes, so that the cut falls into one of them at some shift.
  const pattern = "aü€𝄞".repeat(5000);
  for (const shift of ["", "x", "xx", "xxx", "xxxx"]) {
    using step = running();
    const path = step.write("text", `${pattern}${shift}\n`);
    const { output } = await step.run(["cat", path]);
    assert.ok(`${pattern}${shift}`.endsWith(output));
    assert.ok(Buffer.byteLength(output) <= tailBytes);
    assert.ok(Buffer.byteLength(output) > tailBytes - 5);
    assert.ok(output.isWellFormed() && !output.includes("\ufffd"));
  }
});

test("a character that arrives in two parts is one character in output and log", async () => {
  using step = running();
  const { output } = await step.shell(String.raw`printf '\303'; sleep 0.2; printf '\274ber\n'`);
  assert.equal(output, "über");
  assert.equal(step.context.lines[0]!.text, "über");
});

test("what is no text is replaced, and stays within the bound", async () => {
  using step = running();
  const { output } = await step.run([process.execPath, "-e", "process.stdout.write(Buffer.alloc(100000, 0xff))"]);
  assert.ok(Buffer.byteLength(output) <= tailBytes);
  assert.match(output, /^\ufffd+$/);
});

test("the end of the last line is not part of the output, further empty lines are", async () => {
  using step = running();
  assert.equal((await step.shell(String.raw`printf 'a\n\n'`)).output, "a\n");
  assert.equal((await step.shell(String.raw`printf 'a\r\n'`)).output, "a");
  assert.equal((await step.run(["true"])).output, "");
});

test("the log takes at most a hundred lines a second, shortens long ones, and counts the rest", async () => {
  using step = running();
  await step.shell("seq 1 5000; head -c 5000 /dev/zero | tr '\\0' x");
  const { lines } = step.context;
  const dropped = lines.at(-1)!;
  const [, count] = dropped.text.match(/^(\d+) further lines/)!;
  assert.equal(dropped.level, "warn");
  assert.equal(Number(count) + lines.length - 1, 5001);
  assert.ok(lines.length - 1 <= 300, `${lines.length} lines`);
  using other = running();
  await other.shell("head -c 5000 /dev/zero | tr '\\0' x; echo");
  assert.deepEqual(
    other.context.lines.map(({ text }) => text.length),
    [1000],
  );
});

test("50 MB of output, with and without lines, do not stay in memory", async () => {
  for (const line of ["yes 'a line of output' | head -c 50000000", "head -c 50000000 /dev/zero | tr '\\0' x"]) {
    using step = running();
    const before = process.memoryUsage().rss;
    let peak = before;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 10);
    const { output } = await step.shell(line).finally(() => clearInterval(timer));
    assert.ok(peak - before < 150_000_000, `${peak - before} bytes more`);
    assert.ok(output.length > tailBytes - 100 && output.length <= tailBytes);
  }
});

test("the end of a long output is there though the program has ended", async () => {
  for (let round = 0; round < 10; round++) {
    using step = running();
    const { output } = await step.shell("seq 1 20000");
    assert.ok(output.endsWith("\n19999\n20000"));
  }
});
