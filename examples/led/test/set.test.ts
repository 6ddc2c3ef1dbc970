import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startTestHost, type TestHost } from "gantry/testing";

let folder: string;
let host: TestHost;

const on = { id: "on", uses: "led/set", with: { led: "status", brightness: 255 } };
const workflows = {
  light: { steps: [on], outputs: "${{ steps.on.outputs }}" },
  "light-while": {
    steps: [
      {
        ...on,
        undo: { uses: "led/set", with: { led: "status", brightness: "${{ default(steps.on.outputs.before, 0) }}" } },
      },
      { uses: "host/fail", with: { code: "NO_GOOD", message: "it does not work out" } },
    ],
  },
};

before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "leds-")));
  await mkdir(join(folder, "status"));
  // The manifest allows /sys/class/leds only, so that a folder that stands for it needs the host's own rights.
  const plugin = { plugin: new URL("..", import.meta.url), config: { folder }, isolation: "in-process" };
  host = await startTestHost({ plugins: [plugin], workflows });
});
after(async () => {
  await host[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const brightness = async () => Number(await readFile(join(folder, "status/brightness"), "utf8"));
const setTo = (value: number) => writeFile(join(folder, "status/brightness"), `${value}\n`);

test("it says what it would do, does it, and finds it done the next time", async () => {
  await setTo(3);
  const first = await host.step("led/set", { led: "status", brightness: 7 });
  assert.deepEqual([first.plan, first.unchanged], ["sets status from 3 to 7", false]);
  assert.deepEqual(first.output, { brightness: 7, before: 3 });
  assert.equal(await brightness(), 7);
  assert.equal((await host.step("led/set", { led: "status", brightness: 7 })).unchanged, true);
});

test("after a crash it still knows what was there before", async () => {
  await setTo(3);
  const cut = await host.step("led/set", { led: "status", brightness: 7 });
  // Its result was lost: it is called again with its checkpoint.
  const again = await host.step("led/set", { led: "status", brightness: 7 }, { after: cut });
  assert.deepEqual(again.output, { brightness: 7, before: 3 });
});

test("a run that fails puts the light back", async () => {
  await setTo(3);
  assert.equal((await host.run("light-while")).error?.code, "NO_GOOD");
  assert.equal(await brightness(), 3);
});

test("a light that is not there fails with a code", async () => {
  await assert.rejects(host.step("led/set", { led: "nothing", brightness: 1 }), { code: "LED_UNKNOWN" });
});
