// kill -9 at each message of an installation and of a download of three modules.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { needs } from "../../support/parts.ts";
import { Backend, once } from "./backend.ts";

describe("kill -9 at each message", { skip: needs("mosquitto"), timeout: 1_200_000 }, () => {
  let backend: Backend;

  before(async () => {
    backend = await Backend.start({ embedded: false });
  });
  after(() => backend[Symbol.asyncDispose]());

  const names = ["a", "b", "c"];
  const phases = {
    install: ["STARTED", "DOWNLOADING 0", "DOWNLOADING 100", "DOWNLOADED 100", "INSTALLING 0", "INSTALLED 100"],
    download: ["STARTED", "DOWNLOADING 0", "DOWNLOADING 100", "DOWNLOADED 100"],
  };
  let count = 0;

  for (const operation of ["install", "download"] as const) {
    const each = [...phases[operation], "FINISHED_SUCCESS"];
    const modules = names.flatMap((name) => each.map((status) => `${name} ${status}`));
    const stored = operation === "download" ? names.map((name) => `${name} DOWNLOADED_FILE_STORED`) : [];
    const whole = [...modules, ...stored];

    for (const [index, line] of whole.entries())
      test(`${operation}: at ${line}`, async () => {
        const id = `${operation}-${++count}`;
        const scripted = names.map((name) => backend.scripted(name, `echo ${id} ${name}; true`));
        await backend.order(operation, id, { softwareModules: scripted });
        await waitFor(`message ${index}`, () => once(backend.sequence(id)).length > index);
        await backend.device.host.kill();
        await backend.device.startHost();
        await waitFor(
          `the end: ${backend.device.host.log.slice(-3000)}`,
          () => once(backend.sequence(id)).length >= whole.length,
          60_000,
        );
        assert.deepEqual(once(backend.sequence(id)), whole);
      });
  }
});
