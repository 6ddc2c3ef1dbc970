// The configuration of the daemon that is replaced, moved over as it is, and what this plugin adds.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readConfig } from "../../../host/loading/read-config.ts";
import { waitFor } from "../../../host/testing/wait-for.ts";
import { Storage } from "../../../plugins/software-update/storage.ts";
import type { PluginManifest } from "../../../schemas/plugin.types.ts";
import { brokers } from "../things/device.ts";
import { Backend, type GivenArtifact, modified } from "./backend.ts";

const manifestFile = new URL("../../../plugins/software-update/plugin.json", import.meta.url);
const mosquitto = brokers.find(({ embedded }) => !embedded)!;

describe("the settings of software update", { skip: mosquitto.skip, timeout: 300_000 }, () => {
  let folder: string;
  let backend: Backend;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "gantry-settings-"));
    mkdirSync(join(folder, "dir/below"), { recursive: true });
    const settings = {
      broker: "tcp://localhost:1883",
      username: "su",
      password: "open-sesame-4711",
      caCert: "/etc/ca.pem",
      cert: "/etc/cert.pem",
      key: "/etc/key.pem",
      storageLocation: join(folder, "storage"),
      featureId: "Updates",
      moduleType: "firmware",
      artifactType: "plain",
      // As in a configuration that names each setting: as good as nothing.
      serverCert: "",
      downloadRetryCount: 2,
      downloadRetryInterval: "1m30s",
      installDirs: [join(folder, "dir")],
      mode: "scoped",
      install: ["custom.sh", "first", "second word"],
      logFile: "log/software-update.log",
      logLevel: "INFO",
      logFileSize: 2,
      logFileCount: 5,
      logFileMaxAge: 28,
      correlationKey: "correlationID",
      allowWeakChecksums: true,
    };
    backend = await Backend.start({ embedded: false, settings });
  });
  after(async () => {
    await backend?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const statuses = (id: string) =>
    backend.device.on("e").flatMap(({ text }) => {
      const { path, value } = JSON.parse(text) as { path: string; value: { correlationID?: string; status: string } };
      assert.ok(path.startsWith("/features/Updates"), path);
      return value.correlationID === id ? [value] : [];
    });
  const order = async (operation: string, id: string, ...artifacts: GivenArtifact[]) => {
    const modules = [backend.module(id, artifacts, { "copy-artifacts": "*" })];
    const value = { correlationID: id, softwareModules: modules };
    await backend.device.command(operation, value, { feature: "Updates", requestId: id });
    const last = operation === "download" ? "DOWNLOADED_FILE_STORED" : "FINISHED_";
    await waitFor("the end", () => statuses(id).some(({ status }) => status.startsWith(last)));
    return statuses(id).at(-1)!;
  };
  const script = { filename: "custom.sh", content: `printf '%s\\n' "$@" > ${join(tmpdir(), "never")}` };

  test("name the feature, its type, and what an operation is called", async () => {
    const said = await waitFor("the announcement", () => backend.device.on("e")[0]);
    const text = modified("", {
      definition: ["org.eclipse.hawkbit.swupdatable:SoftwareUpdatable:2.0.0"],
      properties: { status: { softwareModuleType: "firmware", lastOperation: null, lastFailedOperation: null } },
    }).replace('SoftwareUpdatable","value', 'Updates","value');
    assert.equal(said.text, text);
  });

  test("name the program that installs, with its arguments", async () => {
    const content = script.content.replace(join(tmpdir(), "never"), join(folder, "arguments"));
    const last = await order("install", "one", { ...script, content });
    assert.deepEqual(last, {
      correlationID: "one",
      status: "FINISHED_SUCCESS",
      softwareModule: { name: "one", version: "1.0" },
    });
    assert.equal(readFileSync(join(folder, "arguments"), "utf8"), "first\nsecond word\n");
  });

  test("allow weak checksums, the best of which counts, and files at any depth", async () => {
    const digest = (algorithm: string) => createHash(algorithm).update("true").digest("hex");
    const weak = { MD5: digest("md5").toUpperCase() };
    const given = { filename: "custom.sh", content: "true" };
    assert.equal((await order("install", "md5", { ...given, checksums: weak })).status, "FINISHED_SUCCESS");
    assert.equal(
      (await order("install", "sha1", { ...given, checksums: { ...weak, SHA1: "0".repeat(40) } })).status,
      "FINISHED_ERROR",
    );
    const best = { MD5: "0".repeat(32), SHA1: digest("sha1") };
    assert.equal((await order("install", "best", { ...given, checksums: best })).status, "FINISHED_SUCCESS");
    writeFileSync(join(folder, "dir/below/custom.sh"), "true");
    const local = { ...given, url: join(folder, "dir/below/custom.sh"), protocol: "FILE" };
    assert.equal((await order("install", "below", local)).status, "FINISHED_SUCCESS");
  });

  test("say where downloads are kept, and the path of those is reported", async () => {
    const last = await order("download", "kept", script);
    const path = join(folder, "storage/modules/0");
    assert.deepEqual(last, {
      correlationID: "kept",
      status: "DOWNLOADED_FILE_STORED",
      softwareModule: { name: "kept", version: "1.0", path },
    });
    assert.equal(readFileSync(join(path, "custom.sh"), "utf8"), script.content);
    assert.equal(readFileSync(join(path, "internal-status"), "utf8").split("\n")[0], "kept:1.0");
  });

  test("with nothing in them, as a configuration may have that names each, are as good as left out", () => {
    const { serverCert, storageLocation } = { serverCert: "", storageLocation: "" };
    const manifest = JSON.parse(readFileSync(manifestFile, "utf8")) as PluginManifest;
    assert.deepEqual(
      readConfig({ serverCert, storageLocation, install: [], installDirs: [] }, manifest, true).problems,
      [],
    );
    const storage = new Storage(storageLocation, "/own");
    assert.deepEqual([storage.modules, storage.reportedModule("0")], ["/own/modules", "modules/0"]);
  });

  test("of no use here are said to be ignored, once, and their values nowhere", () => {
    const ignored = backend.device.host.log.match(/password has no use/g);
    assert.equal(ignored?.length, 1, backend.device.host.log.slice(0, 2000));
    assert.ok(!backend.device.host.log.includes("open-sesame"));
  });
});
