import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { JsonObject } from "../../../host/sdk.ts";
import { fill } from "../../../plugins/things/answers.ts";
import { writeEnvelope } from "../../../plugins/things/envelope.ts";
import { mapMemberNames } from "../../../plugins/things/member-names.ts";
import { propertiesWith, type ReportedValue, withReported } from "../../../plugins/things/reported-values.ts";
import { isThingId, topicOf } from "../../../plugins/things/thing-id.ts";
import { readsOrRefuses } from "./reading.ts";

test("whatever the text, it is read as an envelope or refused with a code", () => readsOrRefuses(3000));

test("an envelope is written with Ditto's order of members, and its headers by their names", () => {
  const text = writeEnvelope({
    headers: { "response-required": false, "content-type": "application/json", "correlation-id": "c" },
    value: { b: 1, a: [null] },
    path: "/p",
    status: 200,
    topic: "ns/n/things/live/messages/m",
  });
  assert.equal(
    text,
    '{"topic":"ns/n/things/live/messages/m",' +
      '"headers":{"content-type":"application/json","correlation-id":"c","response-required":false},' +
      '"path":"/p","value":{"b":1,"a":[null]},"status":200}',
  );
});

test("member names are mapped through lists, references, choices and prefixes, not in maps", () => {
  const schema: JsonObject = {
    $defs: { part: { type: "object", properties: { partName: {}, parts: { items: { $ref: "#/$defs/part" } } } } },
    type: "object",
    properties: {
      first: { $ref: "#/$defs/part" },
      "a/b": { $ref: "#/properties/first" },
      pair: { prefixItems: [{ properties: { Left: {} } }] },
    },
    allOf: [{ properties: { second: { anyOf: [{ type: "null" }, { $ref: "#/$defs/part" }] } } }],
    additionalProperties: { properties: { mapValue: {} } },
  };
  const value = {
    FIRST: { PARTNAME: 1, Parts: [{ partname: 2, PARTS: [{ PartName: 3 }] }, 7, null] },
    "A/B": { partNAME: 4 },
    Pair: [{ left: 5 }, { left: 6 }],
    Second: { Partname: 8 },
    Key: { MAPVALUE: 9, Other: 10 },
    key: { mapvalue: 11 },
  };
  assert.deepEqual(mapMemberNames(value, schema), {
    first: { partName: 1, parts: [{ partName: 2, parts: [{ partName: 3 }] }, 7, null] },
    "a/b": { partName: 4 },
    pair: [{ Left: 5 }, { left: 6 }],
    second: { partName: 8 },
    Key: { mapValue: 9, Other: 10 },
    key: { mapValue: 11 },
  });
});

test("of two spellings of a name the last one counts; an exact name is not taken for another", () => {
  const schema = { properties: { id: {}, ID: {} } };
  assert.deepEqual(mapMemberNames({ Id: 1, ID: 2, id: 3 }, schema), { id: 3, ID: 2 });
  assert.deepEqual(mapMemberNames({ id: 1, Id: 2 }, { properties: { id: {} } }), { id: 2 });
  const circle: JsonObject = { $ref: "#" };
  assert.deepEqual(mapMemberNames({ a: [1] }, circle), { a: [1] });
});

test("mapping names changes names only, and never those that the schema knows as they are", () => {
  const schema = { properties: { correlationId: {}, options: { additionalProperties: true } } };
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const mapped = mapMemberNames(value as never, schema);
      assert.deepEqual(mapMemberNames(mapped, schema), mapped);
    }),
  );
});

test("reported values are put over the initial ones in order, and replace what lies below them", () => {
  const report = (...all: [string, unknown][]) =>
    all.reduce<ReportedValue[]>((values, [path, value]) => withReported(values, { path, value: value as never }), []);
  const initial = { status: { type: "software", last: null } };
  assert.deepEqual(
    JSON.stringify(propertiesWith(initial, report(["status/last", { n: 1 }], ["status/new", 2]))),
    '{"status":{"type":"software","last":{"n":1},"new":2}}',
  );
  assert.deepEqual(report(["a/b", 1], ["a", 2], ["ab", 3]), [
    { path: "a", value: 2 },
    { path: "ab", value: 3 },
  ]);
  assert.deepEqual(propertiesWith(initial, report(["status", 1], ["status/x/y", 2])), { status: { x: { y: 2 } } });
  assert.deepEqual(propertiesWith(initial, report(["", { all: 1 }], ["more~1or~0less", 2])), {
    all: 1,
    "more/or~less": 2,
  });
  assert.deepEqual(propertiesWith(undefined, []), undefined);
  const strange = propertiesWith({}, report(["__proto__/polluted", true])) as object;
  assert.deepEqual(Object.keys(strange), ["__proto__"]);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  assert.deepEqual(initial, { status: { type: "software", last: null } });
});

test("ids of things are namespace:name", () => {
  for (const id of ["org.example:gateway-1", ":name", "a-b.c_d:x:y", "ns:a b", `ns:${"x".repeat(253)}`])
    assert.ok(isThingId(id), id);
  for (const id of ["", "name", "ns:", "1a:n", "ns:a/b", "ns:a\u0000", "ns..x:n", `ns:${"x".repeat(254)}`, "ns:é"])
    assert.ok(!isThingId(id), id);
  assert.equal(topicOf("ns:a:b"), "ns/a:b");
});

test("only places that are known are filled in", () => {
  assert.equal(fill("{a} {b} {toString} {a}", { a: "{b}", b: "$&" }), "{b} $& {toString} {b}");
});
