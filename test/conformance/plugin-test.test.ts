// gantry plugin test, on plugins that keep the contract and on such that do not: each check has one that violates it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gantry } from "../commands/gantry.ts";
import { inFolder, makePlugin, testFolder } from "./violating-plugins.ts";

const output = (properties: object) => ({ output: { type: "object", additionalProperties: false, properties } });
const integer = { type: "integer" };

test("a plugin that keeps the contract passes, in both carriers, and what was not exercised is said", async () => {
  using good = makePlugin({
    steps: {
      write: {
        run: `
          const path = input.directory + "/written";
          if (!fs.existsSync(path)) {
            fs.writeFileSync(path + ".new", await (await context.fetch(input.from)).text());
            context.progress({ percent: 50 });
            await new Promise((resolve, reject) => {
              setTimeout(resolve, 300);
              context.signal.addEventListener("abort", () => reject(context.signal.reason));
            });
            fs.renameSync(path + ".new", path);
          }
          return { bytes: fs.statSync(path).size };`,
        more: "plan: ({ directory }) => `writes into ${directory}`",
        manifest: {
          input: {
            type: "object",
            additionalProperties: false,
            properties: { directory: { type: "string" }, from: { type: "string" } },
          },
          ...output({ bytes: integer }),
          examples: [
            {
              description: "a file of the server",
              files: { text: "four" },
              with: { directory: "${{ inputs.directory }}", from: "${{ inputs.server }}/text" },
              outputs: { bytes: 4 },
            },
            {
              description: "a step before",
              config: { name: "other" },
              before: [{ id: "chosen", uses: "files/select", with: { directory: "${{ inputs.directory }}" } }],
              files: { text: "four" },
              with: { directory: "${{ inputs.directory }}", from: "${{ inputs.server }}/text" },
              outputs: { bytes: 4 },
            },
          ],
        },
      },
      ring: {
        run: `throw Object.assign(new Error("no bell"), { code: "MADE_SILENT" });`,
        manifest: {
          examples: [
            { ...inFolder, description: "there is no bell", fails: "MADE_SILENT" },
            { description: "there is one", untried: "it needs a bell" },
            { ...inFolder, description: "it needs a program", needs: ["no-such-program"] },
          ],
        },
      },
      wait: {
        run: `await new Promise((_, reject) => context.signal.addEventListener("abort", () => reject(context.signal.reason)));`,
        manifest: { examples: [{ ...inFolder, description: "it waits for ever", endless: true }] },
      },
    },
    manifest: {
      config: { type: "object", properties: { name: { type: "string", default: "made" } } },
      permissions: { network: ["127.0.0.1"] },
      errors: { MADE_SILENT: { description: "No bell.", remedy: "Get one.", retryable: false } },
    },
    readme:
      "# made\n\n| `name` | who |\n\n## made/write, made/ring\n\n**Repeating it** is safe: a file that is there stays.\n\n## `made/wait`\n\n**Repeating it.** It only waits again.\n",
  });
  const { code, stderr, failed, notExercised, lines, counts } = await testFolder(good.folder, "--in-process");
  assert.deepEqual(failed, []);
  assert.equal(code, 0, stderr);
  assert.equal(counts.failed, 0);
  assert.equal(counts.notExercised, notExercised.length);
  for (const carrier of ["process", "in-process"]) {
    const passed = lines.filter((line) => line.outcome === "passed" && line.carrier === carrier);
    assert.deepEqual(
      passed.filter(({ about }) => about === "made/write: a file of the server").map(({ check }) => check),
      ["example", "plan", "abort", "repeat"],
    );
    assert.ok(passed.some(({ check, about }) => check === "abort" && about === "made/wait: it waits for ever"));
    assert.deepEqual(
      notExercised.filter((line) => line.carrier === carrier).map(({ about, message }) => `${about}: ${message}`),
      [
        "made/ring: there is one: it needs a bell",
        "made/ring: it needs a program: it needs no-such-program, which is not installed",
        "made/ring: there is no bell: the example is one of a failure",
      ],
    );
  }
});

test("each way to break the contract is found, with a code and a remedy", async () => {
  using bad = makePlugin({
    steps: {
      append: { run: `fs.appendFileSync(input.directory + "/log", "once\\n"); return {};` },
      guess: { run: `return { number: Math.random() };`, manifest: output({ number: { type: "number" } }) },
      tell: { run: `return { more: 1 };`, manifest: output({ less: integer }) },
      wish: {
        run: `return { number: 1 };`,
        manifest: { ...output({ number: integer }), examples: [{ ...inFolder, outputs: { number: 2 } }] },
      },
      boast: { run: `return { number: 1 };` },
      peek: { run: `try { fs.readFileSync("/etc/passwd"); } catch {} return {};` },
      break: { run: `throw new Error("broken");` },
      hope: { run: `return {};`, manifest: { examples: [{ ...inFolder, fails: "MADE_BROKEN" }] } },
      plan: {
        run: `return {};`,
        more: `plan({ directory }) { fs.writeFileSync(directory + "/plan", ""); return "x"; }`,
      },
      hide: { run: `return {};`, manifest: { examples: [] } },
      resist: {
        run: `await new Promise((resolve) => setTimeout(resolve, 600_000));`,
        manifest: { examples: [{ ...inFolder, description: "it goes on", endless: true }] },
      },
      stop: { run: `return {};`, manifest: { examples: [{ ...inFolder, description: "it stops", endless: true }] } },
    },
    manifest: { config: { type: "object", properties: { volume: { ...integer, default: 1 } } } },
    top: `
      console.log("hello");
      globalThis.made = true;
      process.env.MADE = "1";
      process.on("exit", () => {});
      setInterval(() => {}, 1000);
      try { fs.writeFileSync("/tmp/made", ""); } catch {}`,
    readme: "# made\n\n## made/append\n\nIt appends.\n",
  });
  const { code, failed, notExercised } = await testFolder(bad.folder);
  assert.equal(code, 1);
  const told = failed.map((finding) => `${finding.code} ${finding.about}: ${finding.message}`);
  const expected = [
    /^CONFORMANCE_README : the section "made\/append" does not say/,
    /^CONFORMANCE_README : it has no heading "made\/guess"/,
    /^CONFORMANCE_README : the setting `volume` is not named/,
    /^CONFORMANCE_IMPORT : it tries to write \/tmp\/made/,
    /^CONFORMANCE_IMPORT : it leaves at work: Timeout/,
    /^CONFORMANCE_IMPORT : it adds to the globals made/,
    /^CONFORMANCE_IMPORT : it listens on the process for exit/,
    /^CONFORMANCE_IMPORT : it changes the environment: MADE=1/,
    /^CONFORMANCE_IMPORT : it prints "hello"/,
    /^CONFORMANCE_NO_EXAMPLE made\/hide/,
    /^CONFORMANCE_REPEAT made\/append.*log is a file of 10 bytes .* instead of a file of 5 bytes/,
    /^CONFORMANCE_REPEAT made\/guess.*the result is/,
    /^CONFORMANCE_EXAMPLE made\/tell.*OUTPUT_INVALID/,
    /^CONFORMANCE_RESULT made\/wish.*its number is 1 instead of 2/,
    /^CONFORMANCE_RESULT made\/boast.*number/,
    /^CONFORMANCE_PERMISSION : not permitted: to read \/etc\/passwd/,
    /^CONFORMANCE_EXAMPLE made\/break.*broken/,
    /^CONFORMANCE_EXAMPLE made\/hope.*succeeded, where it is to fail with MADE_BROKEN/,
    /^CONFORMANCE_PLAN made\/plan.*plan changes something: plan is a file/,
    /^CONFORMANCE_ABORT made\/resist.*still at work 5 s after/,
    /^CONFORMANCE_EXAMPLE made\/stop.*ended by itself/,
  ];
  for (const wanted of expected)
    assert.ok(
      told.some((one) => wanted.test(one)),
      `${wanted} among\n${told.join("\n")}`,
    );
  for (const { remedy } of failed) assert.ok(remedy);
  const codes = new Set(expected.map((one) => /\^(\w+)/.exec(one.source)![1]));
  assert.deepEqual(
    [...new Set(failed.map((finding) => finding.code!))].filter((one) => !codes.has(one)),
    [],
  );
  // Of the steps, only those that are meant to fail do.
  const steps = told.filter((one) => / made\//.test(one) && !/README|NO_EXAMPLE/.test(one));
  assert.equal(
    steps.length,
    expected.filter((one) => /made\\\//.test(one.source) && !/README|NO_EXAMPLE/.test(one.source)).length,
    steps.join("\n"),
  );
  assert.deepEqual(notExercised, []);
});

test("a process that holds more than is declared is found", async () => {
  using greedy = makePlugin({
    steps: {
      hoard: {
        run: `globalThis.kept = Buffer.alloc(150 << 20, 1); await new Promise((resolve) => setTimeout(resolve, 500)); return {};`,
      },
    },
    manifest: { memoryLimitMb: 128 },
  });
  const { code, failed } = await testFolder(greedy.folder);
  assert.equal(code, 1);
  const memory = failed.find((finding) => finding.code === "CONFORMANCE_MEMORY");
  assert.match(memory?.message ?? JSON.stringify(failed), /128/);
  assert.match(failed.find(({ check }) => check === "example")?.message ?? "", /PLUGIN_MEMORY/);
});

test("a plugin that does not start, or cannot be read, is found; nothing of it counts as passed", async () => {
  using dark = makePlugin({ steps: { light: { run: "return {};" } }, setup: `throw new Error("no power");` });
  const unlit = await testFolder(dark.folder);
  assert.equal(unlit.code, 1);
  assert.deepEqual(
    unlit.failed.map((finding) => finding.code),
    ["CONFORMANCE_START"],
  );
  assert.match(unlit.failed[0]!.message!, /no power/);
  assert.deepEqual(
    unlit.notExercised.map(({ about }) => about),
    ["made/light: it is called"],
  );

  using ended = makePlugin({ steps: { light: { run: "return {};" } }, top: "process.exit(7);" });
  const { failed } = await testFolder(ended.folder);
  assert.match(failed.find((finding) => finding.code === "CONFORMANCE_IMPORT")?.message ?? "", /exit code 7/);

  using liar = makePlugin({
    steps: { light: { run: "return {};" } },
    manifest: { triggers: { pressed: { description: "x" } } },
  });
  const lied = await testFolder(liar.folder);
  assert.match(
    lied.failed.find((finding) => finding.code === "CONFORMANCE_START")?.message ?? "",
    /pressed is declared but not contributed/,
  );

  const nowhere = await testFolder("/nowhere");
  assert.deepEqual([nowhere.code, nowhere.failed[0]?.code], [1, "FILE_UNREADABLE"]);

  using broken = makePlugin({ steps: {}, manifest: { version: 1 } });
  const refused = await testFolder(broken.folder);
  assert.deepEqual([refused.code, refused.failed[0]?.check, refused.failed[0]?.code], [1, "manifest", "VALUE_WRONG"]);
});

test("a plugin that can run in the host's process only is tried there when that is allowed", async () => {
  using syncing = makePlugin({
    steps: {
      sync: {
        run: `const fd = fs.openSync(input.directory + "/x", "w"); fs.fsyncSync(fd); fs.closeSync(fd); return {};`,
      },
    },
    manifest: { inProcessOnly: "it syncs its files" },
  });
  const refused = await testFolder(syncing.folder);
  assert.deepEqual(
    [refused.code, refused.failed.map(({ message }) => message)],
    [1, ["it can run in the host's process only, which --in-process allows"]],
  );
  const allowed = await testFolder(syncing.folder, "--in-process");
  assert.deepEqual([allowed.code, allowed.failed], [0, []]);
  assert.deepEqual(
    allowed.notExercised.map(({ carrier, message }) => [carrier, message]),
    [["process", "it syncs its files"]],
  );
  const plainly = await gantry("plugin", "test", syncing.folder, "--in-process");
  assert.equal(plainly.code, 0, plainly.stdout);
  assert.match(plainly.stdout, /^✓ repeat made\/sync: it is called \(host's process\)$/m);
  assert.match(plainly.stdout, /^- start \(own process\): not exercised: it syncs its files$/m);
  assert.match(plainly.stdout, /^\d+ passed, 0 failed, 1 not exercised$/m);
});
