// An installation on the wire: every message in its order, to the byte.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../../support/wait-for.ts";
import { brokers } from "../things/device.ts";
import { Backend } from "./backend.ts";

for (const { name, skip, embedded } of brokers)
  describe(`an installation on ${name}`, { skip, timeout: 120_000 }, () => {
    let backend: Backend;

    before(async () => {
      backend = await Backend.start({ embedded });
    });
    after(() => backend[Symbol.asyncDispose]());

    test("of a plain module is reported stage by stage", async () => {
      await backend.install("plain", backend.scripted("a", "printf 'progress=40\\nmessage=half\\n' > status; sleep 0.1\n"));
      await backend.finished("plain");
      console.log(backend.device.heard.map(({topic,text})=>topic+" "+text).join("\n"));
      console.log(backend.device.host.log)
    });
  });
