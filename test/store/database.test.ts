import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { Database, DatabaseValue } from "../../host/sdk.ts";
import { storeFolder, testStore } from "./store-folder.ts";

const failed = { code: "DATABASE_FAILED", retryable: false };
const denied = { code: "DATABASE_DENIED", retryable: false };
const people = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT UNIQUE, picture BLOB) STRICT";

async function peopleIn(t: TestContext, directory = storeFolder(t)): Promise<Database> {
  const database = (await testStore(t, {}, directory)).database("twins", "people");
  await database.migrate([people]);
  return database;
}

test("a plugin writes and reads rows in a file of its own, over a restart", async (t) => {
  const directory = storeFolder(t);
  const store = await testStore(t, {}, directory);
  const database = store.database("twins", "people");
  await database.migrate([people]);
  const picture = new Uint8Array([0, 255, 7]);
  const sql = "INSERT INTO people (name, picture) VALUES (?, ?)";
  assert.deepEqual(await database.run(sql, ["Ürsula", picture]), { changes: 1, lastId: 1 });
  assert.deepEqual(await database.run(sql, ["Otto", null]), { changes: 1, lastId: 2 });
  const rows = [
    { id: 1, name: "Ürsula", picture },
    { id: 2, name: "Otto", picture: null },
  ];
  assert.deepEqual(await database.all("SELECT * FROM people ORDER BY id"), rows);
  assert.equal(store.database("twins", "people"), database);
  assert.deepEqual(await store.database("other", "people").all("SELECT name FROM sqlite_schema"), []);
  await store.close();
  const file = join(directory, "databases", "twins", "people.db");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(file, "..")).sort(), ["people.db", "people.db.good"]);

  const again = (await testStore(t, {}, directory)).database("twins", "people");
  assert.deepEqual(await again.get("SELECT * FROM people WHERE name = ?", ["Otto"]), rows[1]);
  assert.equal(await again.get("SELECT * FROM people WHERE name = ?", ["Nobody"]), undefined);
});

test("each step of a migration is carried out once, and a file with more steps is refused", async (t) => {
  const directory = storeFolder(t);
  const store = await testStore(t, {}, directory);
  const steps = [people, "ALTER TABLE people ADD COLUMN age INTEGER; INSERT INTO people (name, age) VALUES ('A', 1);"];
  await store.database("twins", "people").migrate(steps.slice(0, 1));
  await store.database("twins", "people").migrate(steps);
  await store.database("twins", "people").migrate(steps);
  assert.deepEqual(await store.database("twins", "people").all("SELECT name, age FROM people"), [
    { name: "A", age: 1 },
  ]);
  await store.close();
  const database = (await testStore(t, {}, directory)).database("twins", "people");
  await assert.rejects(database.migrate(steps.slice(0, 1)), { ...failed, message: /version 2.*up to 1/ });
  await database.migrate(steps);
});

test("a migration may change tables in every way SQLite knows", async (t) => {
  const database = await peopleIn(t);
  await database.run("INSERT INTO people (name) VALUES ('A')");
  await database.migrate([
    people,
    `ALTER TABLE people ADD COLUMN age INTEGER NOT NULL DEFAULT 1 CHECK (age > 0);
     ALTER TABLE people RENAME COLUMN name TO called;
     ALTER TABLE people DROP COLUMN picture;
     ALTER TABLE people RENAME TO persons;
     CREATE INDEX by_age ON persons (age);
     CREATE TRIGGER older AFTER INSERT ON persons BEGIN UPDATE persons SET age = age + 1; END;
     CREATE VIEW old AS SELECT * FROM persons WHERE age > 1;`,
  ]);
  await database.run("INSERT INTO persons (called) VALUES ('B')");
  assert.deepEqual(await database.all("SELECT called, age FROM old ORDER BY id"), [
    { called: "A", age: 2 },
    { called: "B", age: 2 },
  ]);
});

test("a migration that fails midway leaves the file as it was", async (t) => {
  const database = await peopleIn(t);
  await assert.rejects(database.migrate([people, "CREATE TABLE a (b)", "CREATE TABLE a (b)"]), failed);
  assert.deepEqual(await database.all("SELECT name FROM sqlite_schema WHERE name = 'a'"), []);
  await database.migrate([people, "CREATE TABLE a (b)"]);
});

test("a transaction is carried out whole or not at all, and takes nobody else's writes with it", async (t) => {
  const database = await peopleIn(t);
  const insert = (name: string) => ({ sql: "INSERT INTO people (name) VALUES (?)", parameters: [name] });
  const outcomes = await Promise.allSettled([
    database.transaction([insert("A"), insert("B")]),
    database.transaction([insert("C"), insert("A")]),
    database.run("INSERT INTO people (name) VALUES ('D')"),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  const { reason } = outcomes[1] as PromiseRejectedResult;
  assert.equal(reason.code, "DATABASE_FAILED");
  assert.deepEqual(reason.details, { sqlite: 2067 });
  const names = (await database.all("SELECT name FROM people ORDER BY name")).map(({ name }) => name);
  assert.deepEqual(names, ["A", "B", "D"]);
});

test("a statement that rolls everything back fails, and what it took along is told so", async (t) => {
  const database = await peopleIn(t);
  await database.run("INSERT INTO people (name) VALUES ('A')");
  const outcomes = await Promise.allSettled([
    database.run("INSERT INTO people (name) VALUES ('B')"),
    database.run("INSERT OR ROLLBACK INTO people (name) VALUES ('A')"),
  ]);
  const written = (await database.all("SELECT name FROM people")).length;
  assert.equal(written, outcomes[0]!.status === "fulfilled" ? 2 : 1);
  assert.equal(outcomes[1]!.status, "rejected");
  await database.run("INSERT INTO people (name) VALUES ('C')");
});

test("no SQL of a plugin leads out of its file or out of the store's transaction", async (t) => {
  const directory = storeFolder(t);
  const database = await peopleIn(t, directory);
  const target = join(directory, "out.db");
  const attempts = [
    `ATTACH '${target}' AS other`,
    `VACUUM INTO '${target}'`,
    "DETACH main",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT mine",
    "PRAGMA user_version = 7",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA writable_schema = ON",
    "CREATE TEMP TABLE t (a)",
  ];
  for (const sql of attempts) {
    await assert.rejects(database.run(sql), (error: { code: string }) => /^DATABASE_/.test(error.code), sql);
    await assert.rejects(database.all(sql), (error: { code: string }) => /^DATABASE_/.test(error.code), sql);
    await assert.rejects(
      database.migrate([people, sql]),
      (error: { code: string }) => /^DATABASE_/.test(error.code),
      sql,
    );
  }
  assert.ok(!existsSync(target));
  await assert.rejects(database.run(attempts[0]!), denied);
  await assert.rejects(database.all(attempts[1]!), denied);
  await assert.rejects(database.all("DELETE FROM people"), denied);
  await assert.rejects(database.run("SELECT load_extension('/tmp/x.so')"), /DATABASE_|not authorized/);
  assert.deepEqual(await database.all("PRAGMA table_info(people)").then((columns) => columns.length), 3);
  await database.run("INSERT INTO people (name) VALUES ('still works')");
});

test("what is no SQL, no name or no value is refused with a code", async (t) => {
  const store = await testStore(t);
  for (const name of ["", "../x", "a/b", ".hidden", "x".repeat(65)])
    assert.throws(() => store.database("twins", name), failed);
  const database = store.database("twins", "people");
  await database.migrate([people]);
  const insert = "INSERT INTO people (name) VALUES (?)";
  await assert.rejects(database.run("SELEC 1"), failed);
  await assert.rejects(database.run(""), failed);
  await assert.rejects(database.all("SELECT * FROM nobody"), failed);
  await assert.rejects(database.run("INSERT INTO people (name) VALUES ('A'); DELETE FROM people"), {
    ...failed,
    message: /more than one statement/,
  });
  for (const value of [undefined, Number.NaN, {}, 1n, new Date()] as unknown as DatabaseValue[])
    await assert.rejects(database.run(insert, [value]), failed);
  await assert.rejects(database.run(insert, ["a", "b"]), failed);
  await assert.rejects(database.run(insert, ["x".repeat(5_000_000)]), failed);
  await assert.rejects(database.all("SELECT 9007199254740993"), failed);
  assert.deepEqual(await database.all("SELECT * FROM people"), []);
  for (const value of [true, 7, 1.5]) await database.run(insert, [value]);
  assert.deepEqual(
    (await database.all("SELECT name FROM people ORDER BY id")).map(({ name }) => name),
    ["1", "7", "1.5"],
  );
});

test("more than 16 MiB at once are refused, and can be had in parts", async (t) => {
  const database = await peopleIn(t);
  const insert = { sql: "INSERT INTO people (picture) VALUES (?)", parameters: [new Uint8Array(1_000_000)] };
  for (let row = 0; row < 20; row++) await database.run(insert.sql, insert.parameters);
  await assert.rejects(database.all("SELECT picture FROM people"), { ...failed, message: /LIMIT/ });
  assert.equal((await database.all("SELECT picture FROM people LIMIT 5")).length, 5);
});

test("writes of one turn share one commit, and many plugins share one thread", async (t) => {
  const directory = storeFolder(t);
  const store = await testStore(t, {}, directory);
  const databases = ["a", "b", "c"].map((name) => store.database(name, "numbers"));
  await Promise.all(databases.map((database) => database.migrate(["CREATE TABLE n (n INTEGER) STRICT"])));
  const begun = performance.now();
  await Promise.all(
    databases.flatMap((database) =>
      Array.from({ length: 300 }, (_, number) => database.run("INSERT INTO n VALUES (?)", [number])),
    ),
  );
  assert.ok(performance.now() > begun);
  for (const database of databases)
    assert.deepEqual(
      (await database.all("SELECT n FROM n ORDER BY rowid")).map(({ n }) => n),
      Array.from({ length: 300 }, (_, number) => number),
    );
  assert.equal(store.figures.writes, 0);
  await store.close();
  await assert.rejects(databases[0]!.run("INSERT INTO n VALUES (1)"), { retryable: false });
  const file = new DatabaseSync(join(directory, "databases/a/numbers.db"), { readOnly: true });
  assert.equal((file.prepare("SELECT count(*) AS count FROM n").get() as { count: number }).count, 300);
  file.close();
});
