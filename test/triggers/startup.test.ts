import assert from "node:assert/strict";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startTestHost, waitFor } from "gantry/testing";
import { bootId } from "../../host/boot-id.ts";
import { GantryError } from "../../host/errors.ts";
import { hostTriggers } from "./host-triggers.ts";

test("each start of a host gives one run, which knows whether it is the first since the device started", async () => {
  const greet = { on: [{ trigger: "host/startup" }], steps: [] };
  await using folder = await mkdtempDisposable(join(tmpdir(), "gantry-boot-"));
  const bootIdFile = join(folder.path, "boot_id");
  await writeFile(bootIdFile, "boot-1\n");
  const environment = { GANTRY_BOOT_ID_FILE: bootIdFile };
  await using host = await startTestHost({ workflows: { greet }, process: true, environment });
  const events = [(await host.nextRun("greet")).event];
  for (const boot of ["boot-1", "boot-2", "boot-2"]) {
    await host.stop();
    await writeFile(bootIdFile, `${boot}\n`);
    await host.resume();
    events.push((await host.nextRun("greet")).event);
  }
  assert.deepEqual(events, [
    { bootId: "boot-1", firstOfBoot: true },
    { bootId: "boot-1", firstOfBoot: false },
    { bootId: "boot-2", firstOfBoot: true },
    { bootId: "boot-2", firstOfBoot: false },
  ]);
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
