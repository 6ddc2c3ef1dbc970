// Very many small files in one trigger, and a hub that starts each as soon as it is asked for it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { startPutServer } from "../../support/put-server.ts";
import { forgetPeak, peakMb, residentMb } from "../../support/resident-memory.ts";
import { Hub, type LastUpload, nameOf, type UploadRequest } from "./hub.ts";

export interface Figures {
  seconds: number;
  idleMb: number;
  peakMb: number;
}

const maxParallel = 4;

/** To a hub that only listens. */
export async function requestMany(count: number): Promise<void> {
  await using folder = filesFolder(count);
  await using hub = await Hub.start({ upload: { files: folder.pattern } });
  await hub.send("trigger", { correlationId: "many" });
  const requests = await hub.requests("many", count);
  assert.deepEqual(
    requests.map(({ correlationId }) => correlationId),
    requests.map((_, index) => `many#${index + 1}`),
  );
}

/** They arrive as they are, so many at the same time as may be and no more, and what is told goes forward only. */
export async function uploadMany(count: number): Promise<Figures> {
  await using folder = filesFolder(count);
  await using server = await startPutServer({ holdUntil: maxParallel });
  await using hub = await Hub.start({ upload: { files: folder.pattern, maxParallel }, logLevel: "info" });
  const { pid } = hub.device.host;
  const idleMb = residentMb(pid);
  forgetPeak(pid);
  const begun = performance.now();
  const heard = hear(hub, (request) => ({ "https.url": `http://127.0.0.1:${server.port}/${nameOf(request)}` }));
  await hub.send("trigger", { correlationId: "many" });
  const last = await waitFor(
    () => `the end of all; ${server.files.size} are there\n${hub.device.host.log.slice(-3000)}`,
    () => heard.reports.find(({ state }) => state !== "UPLOADING"),
    900_000,
  );
  const figures = { seconds: (performance.now() - begun) / 1000, idleMb, peakMb: peakMb(pid) };
  assert.deepEqual([last.state, last.progress], ["SUCCESS", 100], last.message);
  assert.equal(heard.requests, count);
  assert.equal(server.files.size, count);
  for (const [name, content] of folder.contents) assert.equal(String(server.files.get(`/${name}`)), content, name);
  assert.equal(server.most, maxParallel);
  const told = heard.reports.map(({ progress }) => progress);
  assert.ok(told.length > 50, `${told.length} reports`);
  assert.deepEqual(
    told,
    told.toSorted((one, other) => one - other),
  );
  assert.equal(heard.reports.at(-1), last, "nothing is told after the end");
  return figures;
}

function filesFolder(count: number) {
  const directory = mkdtempSync(join(tmpdir(), "gantry-many-"));
  const contents = new Map(Array.from({ length: count }, (_, n) => [`${n}.txt`, `content of file ${n}\n`.repeat(50)]));
  for (const [name, content] of contents) writeFileSync(join(directory, name), content);
  return {
    pattern: `${directory}/*`,
    contents,
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true }),
  };
}

/** Looks at each message once, and starts what is requested. */
function hear(hub: Hub, optionsOf: (request: UploadRequest) => Record<string, string>) {
  const heard = { requests: 0, reports: [] as LastUpload[] };
  const { device } = hub;
  device.listen("e", ({ text }) => {
    const { path, value } = JSON.parse(text);
    if (path.endsWith("/lastUpload")) heard.reports.push(value);
    if (!path.endsWith("/outbox/messages/request")) return;
    heard.requests += 1;
    void hub.send("start", { correlationId: value.correlationId, options: optionsOf(value) });
  });
  return heard;
}
