import assert from "node:assert/strict";
import { test } from "node:test";
import { type Provider, resolveRequirement } from "../../host/loading/requirements.ts";

const provider = (name: string, standing: Provider["standing"], ...provides: string[]) => ({
  name,
  provides,
  standing,
});

test("a service is found at the enabled plugin that provides it, before a built-in one that is not listed", () => {
  const providers = [provider("mqtt", "installed", "mqtt"), provider("my-broker", "enabled", "mqtt")];
  assert.deepEqual(resolveRequirement("mqtt", "things", providers), {
    outcome: "met",
    plugins: ["my-broker"],
    services: ["mqtt"],
  });
});

test("a built-in plugin that is not listed meets a requirement, by its service or its name", () => {
  const providers = [provider("mqtt", "installed", "broker"), provider("download", "installed")];
  assert.deepEqual(resolveRequirement("broker", "a", providers), {
    outcome: "met",
    plugins: ["mqtt"],
    services: ["broker"],
  });
  assert.deepEqual(resolveRequirement("download", "a", providers), {
    outcome: "met",
    plugins: ["download"],
    services: [],
  });
});

test("all services of a kind come from all plugins that are not disabled", () => {
  const providers = [
    provider("upload-s3", "installed", "upload-target:s3"),
    provider("upload-azure", "disabled", "upload-target:azure"),
    provider("upload-http", "enabled", "upload-target:http", "http"),
  ];
  assert.deepEqual(resolveRequirement("upload-target:*", "file-upload", providers), {
    outcome: "met",
    plugins: ["upload-http", "upload-s3"],
    services: ["upload-target:http", "upload-target:s3"],
  });
});

test("what only a disabled plugin has, and what nobody has, are told apart", () => {
  const providers = [provider("mqtt", "disabled", "broker")];
  for (const required of ["mqtt", "broker"])
    assert.deepEqual(resolveRequirement(required, "a", providers), { outcome: "disabled", plugin: "mqtt" });
  assert.deepEqual(resolveRequirement("nothing", "a", providers), { outcome: "unknown" });
});
