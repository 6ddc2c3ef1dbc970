// The main job, for real and in half a minute: a host with its own broker, an HTTP server with two artifacts, and an
// installation ordered by an MQTT message. Everything it makes is in a temporary folder, which it names at the end.

import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connectAsync } from "mqtt";
import { startHost } from "../host/host.ts";
import { readHost } from "../host/loading/read-host.ts";
import { createLog } from "../host/log.ts";
import { showProgress } from "../host/terminal/progress.ts";

const say = (text: string) => process.stdout.write(`${text}\n`);
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "gantry-demo-"));
const data = join(folder, "data");

const installScript = `echo "installing $(wc -c < firmware.bin) bytes"
for part in bootloader kernel rootfs; do echo "writing $part"; sleep 0.4; done
echo done
`;
const artifacts = new Map([
  ["firmware.bin", randomBytes(24 * 1024 * 1024)],
  ["install.sh", Buffer.from(installScript)],
]);

// 1. Someone who offers artifacts.
const server = createServer((request, response) => void serve(request.url!.slice(1), response));
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${portOf(server)}`;
say(`artifacts are served at ${address}`);

// 2. A host: one configuration file and the workflow documents of the repository.
const port = await freePort();
const configuration = {
  device: { deviceId: "org.example:demo" },
  workflows: [join(root, "workflows")],
  plugins: [
    { plugin: "mqtt", config: { broker: "embedded", port } },
    { plugin: "download" },
    { plugin: "verify" },
    { plugin: "script" },
  ],
};
await writeFile(join(folder, "plugins.json"), `${JSON.stringify(configuration, null, 2)}\n`);
const log = createLog({ level: "info" });
const host = await startHost({ documents: readHost(join(folder, "plugins.json")), dataDirectory: data, log });
const stopShowing = showProgress(host.engine, process.stdout);
say(`the host is ready; its broker listens on port ${port}`);

// 3. A backend: it asks for the installation and listens to the reports.
const backend = await connectAsync({ protocol: "mqtt", host: "127.0.0.1", port });
const order = {
  id: "demo-1",
  artifacts: [...artifacts].map(([filename, content]) => ({
    url: `${address}/${filename}`,
    filename,
    sha256: createHash("sha256").update(content).digest("hex"),
    sizeBytes: content.length,
  })),
};
const finished = new Promise<{ status: string; run?: string }>((resolve) => {
  backend.on("message", (topic, payload) => {
    const report = JSON.parse(payload.toString()) as { status: string };
    say(`  MQTT ${topic}: ${JSON.stringify(report)}`);
    if (report.status === "SUCCEEDED" || report.status === "FAILED") resolve(report);
  });
});
await backend.subscribeAsync("gantry/install/demo-1/status", { qos: 1 });
say(`sending the order to gantry/install: ${order.artifacts.length} artifacts`);
await backend.publishAsync("gantry/install", JSON.stringify(order), { qos: 1 });

const report = await Promise.race([finished, sleep(60_000, { status: "no report within a minute" }, { ref: false })]);
await sleep(200);
stopShowing();
await backend.endAsync();
await host.stop();
server.close();

say(`\nthe installation ended: ${report.status}`);
say(`the journal of this run:   npx gantry runs --data ${data}`);
say("the workflow it followed:  workflows/install-artifact.json");
say("write your own:            docs/workflows.md");
process.exitCode = report.status === "SUCCEEDED" ? 0 : 1;

async function serve(name: string, response: import("node:http").ServerResponse): Promise<void> {
  const content = artifacts.get(name);
  if (content === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { "content-length": content.length });
  // About ten megabytes a second, so that there is progress to see.
  for (let offset = 0; offset < content.length; offset += 1 << 20) {
    response.write(content.subarray(offset, offset + (1 << 20)));
    await sleep(100);
  }
  response.end();
}

function portOf(listening: Server): number {
  return (listening.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const probe = createTcpServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port: found } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return found;
}
