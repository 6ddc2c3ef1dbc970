import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { activate, carriers, isolationOf } from "../isolation/carriers.ts";
import { makeHostFolder, pluginFiles } from "../loading/host-folder.ts";

const notes = pluginFiles(
  "notes",
  "return { services: { notes: { ask: (name, verb, ...args) => context.database(name)[verb](...args) } } };",
  { description: "Keeps notes in a database of its own.", provides: { notes: { methods: { ask: {} } } } },
);

for (const carrier of carriers)
  test(`a plugin ${carrier} has databases of its own`, async (t) => {
    const plugin = { plugin: "./plugins/notes", ...isolationOf(carrier) };
    const plugins = await activate(t, makeHostFolder(t, { "plugins.json": { plugins: [plugin] }, ...notes }));
    const { ask } = plugins.services.notes as { ask(...args: unknown[]): Promise<unknown> };
    await ask("texts", "migrate", ["CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE, bytes BLOB) STRICT"]);
    const insert = "INSERT INTO notes (text, bytes) VALUES (?, ?)";
    const bytes = new Uint8Array([0, 255]);
    assert.deepEqual(await ask("texts", "run", insert, ["a", bytes]), { changes: 1, lastId: 1 });
    const two = ["b", "c"].map((text) => ({ sql: insert, parameters: [text, null] }));
    assert.deepEqual(await ask("texts", "transaction", two), [
      { changes: 1, lastId: 2 },
      { changes: 1, lastId: 3 },
    ]);
    const { text, bytes: kept } = (await ask("texts", "get", "SELECT * FROM notes WHERE id = ?", [1])) as typeof row;
    assert.deepEqual([text, [...kept]], ["a", [0, 255]]);
    assert.equal(((await ask("texts", "all", "SELECT text FROM notes")) as unknown[]).length, 3);
    await assert.rejects(ask("texts", "run", insert, ["a", null]), {
      code: "DATABASE_FAILED",
      details: { sqlite: 2067 },
    });
    await assert.rejects(ask("texts", "run", "ATTACH 'x' AS x"), { code: "DATABASE_DENIED" });
    await assert.rejects(async () => ask("../x", "all", "SELECT 1"), { code: "DATABASE_FAILED" });
    assert.ok(existsSync(join(plugins.dataDirectory, "databases", "notes", "texts.db")));
  });

declare const row: { text: string; bytes: Uint8Array };
