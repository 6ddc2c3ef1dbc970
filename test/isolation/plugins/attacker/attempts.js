import { spawnSync } from "node:child_process";
import dgram from "node:dgram";
import dns from "node:dns/promises";
import { once } from "node:events";
import * as fs from "node:fs";
import inspector from "node:inspector";
import net from "node:net";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

const connect = async (options) => {
  const socket = net.connect(options);
  await once(socket, "connect");
  socket.destroy();
};

/** Each of them is to be refused. */
export const attempts = {
  readPasswd: () => fs.readFileSync("/etc/passwd", "utf8").length,
  readHostMemory: () => fs.openSync(`/proc/${process.ppid}/mem`),
  readHostEnvironment: () => fs.readFileSync(`/proc/${process.ppid}/environ`, "utf8").length,
  listData: ({ data }) => fs.readdirSync(data),
  listRuns: ({ data }) => fs.readdirSync(join(data, "runs")),
  listRunsFromBelow: ({ data }) => fs.readdirSync(`${data}/runs/0/..`),
  listPlugins: ({ data }) => fs.readdirSync(join(data, "plugins")),
  readOtherPlugin: ({ data }) => fs.readFileSync(join(data, "plugins", "good", "x")),
  readNeighbour: ({ data }) => fs.readFileSync(join(data, "plugins", "attacker-keys", "key")),
  readStore: ({ store }) => fs.readFileSync(store).length,
  readPastBytes: ({ data }) => fs.readdirSync(Buffer.from(`${data}/runs/0/../..`)),
  writeOutside: ({ outside }) => fs.writeFileSync(join(outside, "written"), "x"),
  makeFolderOutside: ({ outside }) => fs.mkdirSync(join(outside, "made")),
  removeOutside: ({ outside }) => fs.rmSync(join(outside, "there")),
  copyOutside: ({ outside }) => fs.copyFileSync(new URL(import.meta.url), join(outside, "copied")),
  changeRightsOutside: ({ outside }) => fs.chmodSync(join(outside, "there"), 0o777),
  writeOtherPlugin: ({ data }) => fs.writeFileSync(join(data, "plugins", "good", "x"), "changed"),
  writeStore: ({ data }) => fs.writeFileSync(join(data, "gantry.db"), ""),
  truncateStore: ({ data }) => fs.truncateSync(join(data, "gantry.db")),
  writeConfiguration: ({ store }) => fs.writeFileSync(store, "{}"),
  writeCode: () => fs.appendFileSync(new URL(import.meta.url), "\n"),
  writeManifest: () => fs.writeFileSync(new URL("./plugin.json", import.meta.url), "{}"),
  removeCode: () => fs.rmSync(new URL(import.meta.url)),
  renameFolder: () => fs.renameSync(new URL("./", import.meta.url), new URL("../elsewhere", import.meta.url)),
  writeGantry: ({ host }) => fs.appendFileSync(host, "\n"),
  linkOut: ({ data }) => fs.symlinkSync("/etc/passwd", join(data, "plugins", "attacker", "link")),
  hardLinkOut: ({ data }) => fs.linkSync("/etc/passwd", join(data, "plugins", "attacker", "link")),
  changeFolder: () => process.chdir("/"),
  startProgram: () => spawnSync("/bin/true").error ?? "it ran",
  becomeProgram: () => process.execve("/bin/true", ["true"]),
  startWorker: () => new Worker("1", { eval: true }),
  connectTcp: ({ port }) => connect({ port, host: "127.0.0.1" }),
  connectControl: ({ control }) => connect({ path: control }),
  sendDatagram: async () => {
    const socket = dgram.createSocket("udp4");
    socket.send("x", 9, "127.0.0.1", () => socket.emit("sent"));
    await once(socket, "sent");
  },
  listenAtPath: async ({ data }) => {
    const server = net.createServer().listen(join(data, "plugins", "attacker", "socket"));
    await once(server, "listening");
    server.close();
  },
  resolveName: () => dns.lookup("localhost"),
  fetchAnyway: ({ port }) => fetch(`http://127.0.0.1:${port}/`).catch((error) => Promise.reject(error.cause ?? error)),
  debug: () => inspector.open(0),
  loadAddon: () => process.dlopen({ exports: {} }, process.execPath),
  database: () =>
    process.getBuiltinModule("node:sqlite") === undefined ? Promise.reject(new Error("no module")) : "it is there",
  report: ({ data }) => process.report.writeReport(join(data, "report")),
  wasi: async () => new (await import("node:wasi")).WASI({ version: "preview1", preopens: { "/": "/" } }),
};
