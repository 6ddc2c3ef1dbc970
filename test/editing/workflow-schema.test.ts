// The schema as an editor uses it: completion, explanation and faults of VS Code's own language service for JSON.

import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { getLanguageService, type JSONSchema } from "vscode-json-languageservice";
import { TextDocument } from "vscode-languageserver-textdocument";
import { gantry } from "../commands/gantry.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const uri = "file:///schema.json";
const shipped = JSON.parse(readFileSync(`${root}schemas/workflow-documents.schema.json`, "utf8")) as JSONSchema;

function editor(schema: JSONSchema = shipped) {
  const service = getLanguageService({ clientCapabilities: { textDocument: { completion: {} } } });
  service.configure({ validate: true, schemas: [{ uri, fileMatch: ["*"], schema }] });
  return service;
}

/** `|` marks where the author's cursor is. */
function open(marked: string) {
  const offset = marked.indexOf("|");
  const text = offset < 0 ? marked : marked.slice(0, offset) + marked.slice(offset + 1);
  const service = editor();
  const document = TextDocument.create("file:///workflow.json", "json", 1, text);
  const json = service.parseJSONDocument(document);
  const position = document.positionAt(Math.max(offset, 0));
  return { service, document, json, position };
}

async function completions(marked: string): Promise<Map<string, string>> {
  const { service, document, json, position } = open(marked);
  const list = await service.doComplete(document, position, json);
  return new Map(
    (list?.items ?? []).map(({ label, documentation }) => [
      label.replace(/^"|"$/g, ""),
      typeof documentation === "string" ? documentation : (documentation?.value ?? ""),
    ]),
  );
}

async function faults(text: string): Promise<string[]> {
  const { service, document, json } = open(text);
  return (await service.doValidation(document, json)).map(({ message }) => String(message));
}

const withStep = (step: string) => `{ "name": "w", "steps": [${step}] }`;

test("`uses` is completed by the steps there are, each with what it does", async () => {
  const found = await completions(withStep('{ "uses": "|" }'));
  assert.match(found.get("mqtt/publish") ?? "", /Sends a message/);
  assert.match(found.get("host/wait") ?? "", /Waits/);
  assert.ok(!found.has("mqtt/message"), "a trigger is no step");
});

test("`with` is completed by the inputs of the step that was chosen, and of no other", async () => {
  const found = await completions(withStep('{ "uses": "mqtt/publish", "with": { "|" } }'));
  assert.deepEqual([...found.keys()].sort(), ["payload", "qos", "retain", "topic"]);
  const inside = await completions(withStep('{ "uses": "mqtt/publish", "with": { "qos": | } }'));
  assert.ok(inside.has("0") && inside.has("1"), [...inside.keys()].join());
});

test("triggers and their settings are completed, and the members of a step", async () => {
  const triggers = await completions('{ "name": "w", "on": [{ "trigger": "|" }], "steps": [] }');
  assert.ok(triggers.has("mqtt/message") && triggers.has("host/schedule"));
  const settings = await completions(
    '{ "name": "w", "on": [{ "trigger": "mqtt/message", "with": { "|" } }], "steps": [] }',
  );
  assert.deepEqual([...settings.keys()].sort(), ["qos", "topic"]);
  const members = await completions(withStep('{ "uses": "mqtt/publish", "|" }'));
  for (const member of ["id", "if", "retry", "timeout", "undo", "onProgress"]) assert.ok(members.has(member), member);
});

test("a key is explained where the cursor rests on it", async () => {
  const { service, document, json, position } = open(
    withStep('{ "uses": "mqtt/publish", "with": { "re|tain": true } }'),
  );
  assert.ok(await service.doHover(document, position, json));
  const retry = open(withStep('{ "uses": "mqtt/publish", "retry": { "ret|ries": 1 } }'));
  const hover = await retry.service.doHover(retry.document, retry.position, retry.json);
  assert.match(JSON.stringify(hover?.contents), /Further attempts after the first/);
});

test("an expression may stand wherever a value does, and a wrong value is a fault", async () => {
  const good =
    '{ "uses": "mqtt/publish", "with": { "topic": "${{ inputs.t }}", "payload": 1, "qos": "${{ inputs.q }}", "retain": "${{ true }}" } }';
  assert.deepEqual(await faults(withStep(good)), []);
  assert.notDeepEqual(
    await faults(withStep('{ "uses": "mqtt/publish", "with": { "topic": "t", "payload": 1, "qos": 7 } }')),
    [],
  );
  assert.notDeepEqual(await faults(withStep('{ "uses": "mqtt/publish", "with": { "payload": 1 } }')), []);
  assert.notDeepEqual(
    await faults(withStep('{ "uses": "mqtt/publish", "with": { "topic": "t", "payload": 1, "qso": 1 } }')),
    [],
  );
  assert.notDeepEqual(await faults(withStep('{ "uses": "mqtt/publihs" }')), []);
  assert.notDeepEqual(await faults(withStep('{ "uses": "mqtt/publish" }')), [], "with is missing");
  assert.deepEqual(await faults(withStep('{ "uses": "workflow:any", "with": { "x": 1 } }')), []);
});

test("a secret is named where its input is one, and nowhere else", async () => {
  const put = (input: object) =>
    withStep(JSON.stringify({ uses: "upload-http/put", with: { path: "/a", url: "https://a.example/", ...input } }));
  const token = { $secret: "TOKEN" };
  assert.deepEqual(await faults(put({ headers: { authorization: token, "x-site": "${{ run.id }}" } })), []);
  assert.deepEqual(await faults(put({ url: token })), []);
  for (const wrong of [{ path: token }, { checksum: token }, { url: { $secret: "../x" } }])
    assert.notDeepEqual(await faults(put(wrong)), [], JSON.stringify(wrong));
  const found = await completions(withStep('{ "uses": "upload-http/put", "with": { "path": "/a", "url": { "|" } } }'));
  assert.deepEqual([...found.keys()], ["$secret"]);
});

test("an editor finds the schema that the shipped documents name, and has nothing against them", async () => {
  const asked: string[] = [];
  const service = getLanguageService({
    workspaceContext: { resolveRelativePath: (path, resource) => new URL(path, resource).href },
    schemaRequestService: async (address) => {
      asked.push(address);
      return readFileSync(fileURLToPath(address), "utf8");
    },
  });
  const names = globSync("workflows/**/*.json", { cwd: root });
  assert.ok(names.length > 0);
  for (const name of names) {
    const file = `${root}${name}`;
    const check = async (text: string) => {
      const document = TextDocument.create(pathToFileURL(file).href, "json", 1, text);
      return (await service.doValidation(document, service.parseJSONDocument(document))).map(({ message }) => message);
    };
    const text = readFileSync(file, "utf8");
    assert.deepEqual(await check(text), [], name);
    assert.notDeepEqual(await check(text.replace('"uses": "', '"uses": "no/')), [], "the schema was not found");
  }
  assert.ok(
    asked.every((address) => address.endsWith("/schemas/workflow-documents.schema.json")),
    asked.join(),
  );
});

test("gantry schema gives the schema of what this configuration has: its plugins, its workflows, and no more", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gantry-schema-"));
  try {
    const plugins = [
      { plugin: "mqtt", config: { port: 0 } },
      { plugin: "script", enabled: false },
    ];
    writeFileSync(join(folder, "plugins.json"), JSON.stringify({ workflows: ["."], plugins }));
    const inputs = {
      type: "object",
      required: ["n"],
      properties: { n: { type: "integer" } },
      additionalProperties: false,
    };
    writeFileSync(join(folder, "called.json"), JSON.stringify({ name: "called", inputs, steps: [] }));
    const { code, stdout } = await gantry("schema", "--config", join(folder, "plugins.json"));
    assert.equal(code, 0);
    const schema = JSON.parse(stdout) as JSONSchema;
    const service = editor(schema);
    const check = async (step: string) => {
      const document = TextDocument.create("file:///w.json", "json", 1, withStep(step));
      return (await service.doValidation(document, service.parseJSONDocument(document))).length;
    };
    assert.equal(await check('{ "uses": "workflow:called", "with": { "n": 1 } }'), 0);
    assert.notEqual(await check('{ "uses": "workflow:called", "with": { "n": "one" } }'), 0);
    assert.notEqual(await check('{ "uses": "script/run", "with": { "command": ["x"] } }'), 0);
    const missing = await gantry("schema", "--config", join(folder, "nowhere.json"));
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /CONFIGURATION_INVALID/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
