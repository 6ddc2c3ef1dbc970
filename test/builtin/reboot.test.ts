// host/reboot in real hosts. Nothing reboots: the files of the kernel, the boot id and the programs are the test's own.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rebootWay } from "../../host/builtin/ask-for-reboot.ts";
import hostPlugin from "../../host/builtin/index.ts";
import type { JsonObject, PluginContext } from "../../host/sdk.ts";
import { openStoreForReading } from "../../host/store/open.ts";
import type { Run } from "../../host/store/store.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { type HostFolder, HostProcess, makeHostFolder } from "../support/host-process.ts";

class Device {
  readonly directory: string;
  readonly folder: HostFolder;
  readonly #hosts: HostProcess[] = [];

  private constructor(directory: string, folder: HostFolder) {
    this.directory = directory;
    this.folder = folder;
  }

  /** Its workflow reboots at the first start, but not of boot-2. */
  static async make(reboot: JsonObject = {}, config: JsonObject = {}): Promise<Device> {
    const directory = await mkdtemp(join(tmpdir(), "gantry-reboot-"));
    const workflow = {
      name: "update",
      on: [{ trigger: "host/startup" }],
      steps: [
        {
          id: "reboot",
          if: "${{ event.firstOfBoot && event.bootId != 'boot-2' }}",
          uses: "host/reboot",
          with: reboot,
        },
      ],
      outputs: { reboot: "${{ steps.reboot.outputs }}" },
    };
    const plugins = [{ plugin: "host", config }];
    const folder = await makeHostFolder(directory, { workflows: ["./workflows"], plugins }, { update: workflow });
    await mkdir(join(directory, "bin"));
    const device = new Device(directory, folder);
    await device.putProgram("sync");
    await device.putProgram("reboot");
    return device;
  }

  /** A program that writes its name and arguments to the file `told`, and ends with this code. */
  async putProgram(name: string, exitCode = 0): Promise<void> {
    const file = join(this.directory, "bin", name);
    await writeFile(file, `#!/bin/sh\necho "${name} $*" >> "${this.directory}/told"\nexit ${exitCode}\n`);
    await chmod(file, 0o755);
  }

  read(name: string): string {
    return existsSync(join(this.directory, name)) ? readFileSync(join(this.directory, name), "utf8") : "";
  }

  async start(bootId: string, environment: NodeJS.ProcessEnv = {}): Promise<HostProcess> {
    await writeFile(join(this.directory, "boot_id"), `${bootId}\n`);
    const host = new HostProcess(this.folder, {
      // The only folder with programs, so that no real one can be found.
      PATH: join(this.directory, "bin"),
      GANTRY_BOOT_ID_FILE: join(this.directory, "boot_id"),
      FILE_SYS_RQ: join(this.directory, "sysrq"),
      FILE_SYS_RQ_TRIGGER: join(this.directory, "sysrq-trigger"),
      ...environment,
    });
    this.#hosts.push(host);
    await host.ready();
    return host;
  }

  /** The run of the first start, once it has ended. */
  run(): Promise<Run> {
    return waitFor("the end of the run", async () => {
      const reading = openStoreForReading(this.folder.data);
      const run = reading.runs.list({ limit: 100 }).at(-1);
      await reading.close();
      return run?.endedAt === null ? undefined : run;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.#hosts) await host.kill();
    await rm(this.directory, { recursive: true });
  }
}

test("the device is asked to reboot until it has, and then the step succeeds", { timeout: 60_000 }, async () => {
  await using device = await Device.make({ reason: "the new system must be started" });
  for (let start = 1; start <= 2; start++) {
    const host = await device.start("boot-1");
    await waitFor("the request", () => device.read("sysrq-trigger") === "b");
    assert.equal(device.read("sysrq"), "1");
    assert.equal(device.read("told"), "sync \n".repeat(start), "the disks are synced before");
    assert.match(host.log, /the new system must be started/);
    // As the kernel ends it.
    await host.kill();
    await writeFile(join(device.directory, "sysrq-trigger"), "");
  }
  await device.start("boot-2");
  const { status, output } = await device.run();
  assert.equal(status, "succeeded");
  assert.deepEqual(output, { reboot: { bootId: "boot-2", previousBootId: "boot-1" } });
  assert.equal(device.read("sysrq-trigger"), "", "it is not asked again");
});

test("a host that is stopped while it waits for the reboot goes on waiting at its next start", {
  timeout: 60_000,
}, async () => {
  await using device = await Device.make();
  const host = await device.start("boot-1");
  await waitFor("the request", () => device.read("sysrq-trigger") === "b");
  assert.equal(await host.stop(), 0);
  await device.start("boot-2");
  assert.equal((await device.run()).status, "succeeded");
});

test("where a file of the kernel is empty, a program reboots the device", { timeout: 60_000 }, async () => {
  await using device = await Device.make();
  await device.start("boot-1", { FILE_SYS_RQ: "" });
  await waitFor("the request", () => device.read("told").includes("reboot"));
  assert.equal(device.read("told"), "sync \nreboot -f\n");
  assert.equal(device.read("sysrq-trigger"), "");
});

test("a program of the configuration reboots the device instead", { timeout: 60_000 }, async () => {
  await using device = await Device.make({}, { rebootCommand: ["reboot", "--now"] });
  await device.start("boot-1");
  await waitFor("the request", () => device.read("told").includes("reboot --now"));
  assert.equal(device.read("sysrq-trigger"), "");
});

// No host is started for this: one that got it wrong would reboot the machine it is tested on.
test("the environment names the kernel's files before the configuration does", () => {
  const config = { sysrqFile: "/config/sysrq", sysrqTriggerFile: "/config/trigger" };
  assert.deepEqual(rebootWay(config, {}), { sysrqFile: "/config/sysrq", triggerFile: "/config/trigger" });
  assert.deepEqual(
    rebootWay(config, { FILE_SYS_RQ: "/environment/sysrq", FILE_SYS_RQ_TRIGGER: "/environment/trigger" }),
    {
      sysrqFile: "/environment/sysrq",
      triggerFile: "/environment/trigger",
    },
  );
  assert.deepEqual(rebootWay(config, { FILE_SYS_RQ_TRIGGER: "" }), { command: ["reboot", "-f"] });
  assert.deepEqual(rebootWay({ ...config, sysrqFile: "" }, {}), { command: ["reboot", "-f"] });
  assert.deepEqual(rebootWay({ ...config, rebootCommand: ["halt"] }, {}), { command: ["halt"] });
});

test("a device that cannot be told to reboot fails the step", { timeout: 60_000 }, async () => {
  await using device = await Device.make();
  await device.start("boot-1", { FILE_SYS_RQ_TRIGGER: join(device.directory, "none", "sysrq-trigger") });
  const { status, error } = await device.run();
  assert.equal(status, "failed");
  assert.equal(error!.code, "HOST_REBOOT_FAILED");
  assert.match(error!.message, /ENOENT/);
  assert.match(error!.remedy!, /rebootCommand/);

  await using refusing = await Device.make({}, { rebootCommand: ["reboot"] });
  await refusing.putProgram("reboot", 1);
  await refusing.start("boot-1");
  assert.equal((await refusing.run()).error!.code, "HOST_REBOOT_FAILED");

  await using nameless = await Device.make();
  await nameless.start("boot-1", { GANTRY_BOOT_ID_FILE: join(nameless.directory, "none") });
  assert.match((await nameless.run()).error!.message, /boot id cannot be read/);
  assert.equal(nameless.read("sysrq-trigger"), "", "a reboot that could not be noticed would come again and again");
});

test("nothing is asked before the delay is over", {
  timeout: 60_000,
}, async () => {
  await using device = await Device.make({ delay: "1d" });
  const host = await device.start("boot-1");
  await waitFor("the checkpoint", async () => {
    const reading = openStoreForReading(device.folder.data);
    const [run] = reading.runs.list({ limit: 1 });
    const kinds = run === undefined ? [] : reading.runs.journal(run.id).map(({ kind }) => kind);
    await reading.close();
    return kinds.includes("checkpoint");
  });
  assert.equal(await host.stop(), 0);
  assert.equal(device.read("told"), "");
  await device.start("boot-2");
  assert.deepEqual((await device.run()).output, { reboot: { bootId: "boot-2", previousBootId: "boot-1" } });

  await using soon = await Device.make({ delay: "300ms" });
  await soon.start("boot-1");
  await waitFor("the request", () => soon.read("sysrq-trigger") === "b");
});

test("the plans of the host's steps say what they would do", async () => {
  const { steps } = await hostPlugin.setup({ config: {} } as PluginContext);
  const plan = (name: string, input: JsonObject) => steps![name]!.plan!(input, {} as never);
  assert.equal(plan("reboot", { delay: "0s" }), "reboots the device");
  assert.equal(plan("reboot", { delay: "0s", reason: "update" }), "reboots the device: update");
  assert.equal(plan("wait", { duration: "1h" }), "waits 1h");
  assert.equal(plan("wait", { until: { from: "22:00", to: "04:00" } }), "waits until it is between 22:00 and 04:00");
  assert.equal(plan("wait", { for: "approved" }), "waits for the signal approved");
  assert.equal(plan("signal", { name: "approved", value: null }), "sends the signal approved");
  assert.equal(plan("fail", { code: "NO", message: "no", retryable: false }), "fails with NO: no");
});
