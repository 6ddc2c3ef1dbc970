import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bootId } from "../../host/boot-id.ts";
import { GantryError } from "../../host/errors.ts";
import { openStoreForReading } from "../../host/store/open.ts";
import { waitFor } from "../../host/testing/wait-for.ts";
import { HostProcess, makeHostFolder } from "../support/host-process.ts";
import { hostTriggers } from "./host-triggers.ts";

test("each start of a host gives one run, which knows whether it is the first since the device started", async () => {
  const root = await mkdtemp(join(tmpdir(), "gantry-startup-"));
  try {
    const folder = await makeHostFolder(
      root,
      { workflows: ["./workflows"], plugins: [] },
      { greet: { name: "greet", on: [{ trigger: "host/startup" }], steps: [] } },
    );
    const bootIdFile = join(root, "boot_id");
    for (const [index, boot] of ["boot-1", "boot-1", "boot-2", "boot-2"].entries()) {
      await writeFile(bootIdFile, `${boot}\n`);
      const host = new HostProcess(folder, { GANTRY_BOOT_ID_FILE: bootIdFile });
      await host.ready();
      await waitFor(`run ${index + 1}`, () => host.log.includes("run accepted"));
      assert.equal(await host.stop(), 0);
    }
    const reading = openStoreForReading(folder.data);
    const runs = reading.runs.list({ limit: 100 });
    await reading.close();
    assert.deepEqual(
      runs.reverse().map(({ event }) => event),
      [
        { bootId: "boot-1", firstOfBoot: true },
        { bootId: "boot-1", firstOfBoot: false },
        { bootId: "boot-2", firstOfBoot: true },
        { bootId: "boot-2", firstOfBoot: false },
      ],
    );
  } finally {
    await rm(root, { recursive: true });
  }
});

test("a trigger that is started again while the host lives gives no second run", async (t) => {
  const triggers = await hostTriggers(t);
  const start = await triggers.inOneHost("startup");
  await (await start())();
  await (await start())();
  assert.equal(triggers.emissions.length, 1);
});

test("a crash in the middle of the first start of a boot gives the same delivery again", async (t) => {
  const triggers = await hostTriggers(t);
  triggers.refuse = () => {
    throw new GantryError("HOST_STOPPING", "the host is stopping");
  };
  await (await triggers.start("startup"))();
  triggers.refuse = undefined;
  await (await triggers.start("startup"))();
  await (await triggers.start("startup"))();
  assert.deepEqual(
    triggers.emissions.map(({ event, delivery }) => [event, delivery]),
    [
      [
        { bootId: bootId(), firstOfBoot: true },
        { key: "first-of-boot", fingerprint: bootId(), redelivered: true },
      ],
      [{ bootId: bootId(), firstOfBoot: false }, undefined],
    ],
  );
});

test("a start that the host cannot take now is offered again", async (t) => {
  const triggers = await hostTriggers(t);
  let asked = 0;
  triggers.refuse = () => {
    asked += 1;
    if (asked === 1) throw new GantryError("QUEUE_FULL", "10,000 runs wait already");
  };
  const stop = await triggers.start("startup");
  await waitFor("the run", () => triggers.emissions.length > 0);
  await stop();
  assert.equal(asked, 2);
});
