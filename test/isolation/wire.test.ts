// The parts of the wire that need no process.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isDeeperThan } from "../../host/isolation/json-depth.ts";
import { LineReader } from "../../host/isolation/line-reader.ts";
import { TokenBucket } from "../../host/isolation/token-bucket.ts";
import { type AnyFunction, byReference, decode, encode, encodeArguments, oneWay } from "../../host/isolation/values.ts";

function overTheWire(value: unknown): unknown {
  const lent: AnyFunction[] = [];
  const lender = { lend: (given: AnyFunction) => lent.push(given) - 1, lendSignal: () => 0 };
  const borrower = { borrow: (id: number) => lent[id]!, borrowSignal: () => AbortSignal.abort() };
  return decode(JSON.parse(JSON.stringify(encode(value, lender))), borrower);
}

test("any JSON value comes out as it went in", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
      assert.deepEqual(overTheWire(value), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("bytes come out as they went in, wherever they stand", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string(), (bytes, key) => {
      const value = { [key]: [Buffer.from(bytes), { bytes }] };
      assert.deepEqual(overTheWire(value), value);
    }),
  );
});

test("functions pass as results, as arguments and inside what is given by reference, and nowhere else", () => {
  const given = () => 1;
  assert.equal(overTheWire(given), given);
  assert.deepEqual(overTheWire({ given, list: [given] }), { list: [null] });
  assert.deepEqual(overTheWire(byReference({ deep: [{ given }] })), { deep: [{ given }] });
  const lent: unknown[] = [];
  const lender = { lend: (one: AnyFunction) => lent.push(one), lendSignal: () => 0 };
  const { extras } = encodeArguments([{ given }, given, oneWay(() => {})], lender);
  assert.deepEqual(
    extras.map(([path, kind, , isOneWay]) => [path, kind, isOneWay]),
    [
      [[1], "function", undefined],
      [[2], "function", 1],
    ],
  );
});

test("extras that lead nowhere, or to what was not sent, are refused", () => {
  const borrower = { borrow: () => () => {}, borrowSignal: () => AbortSignal.abort() };
  for (const extras of [
    1,
    [1],
    [[["a", "b"], "undefined"]],
    [[["b"], "undefined"]],
    [[["__proto__", "x"], "undefined"]],
    [[["constructor"], "undefined"]],
    [[[{}], "undefined"]],
    [[["a"], "elephant", 1]],
    [[["a"], "function", "1"]],
    [[["a"], "buffer", 1]],
    [[Array.from({ length: 1000 }, () => "a"), "undefined"]],
  ])
    assert.throws(() => decode({ value: { a: 1 }, extras }, borrower), TypeError, JSON.stringify(extras));
});

test("lines come out whole, whatever the chunks, until one is too long", () => {
  const text = "one\n\ntwo ü\nthree is longer\nlast";
  for (let size = 1; size < text.length; size++) {
    const lines: string[] = [];
    const reader = new LineReader(20, (line) => lines.push(line.toString()));
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) assert.equal(reader.push(bytes.subarray(at, at + size)), true);
    assert.deepEqual(lines, ["one", "", "two ü", "three is longer"]);
    assert.equal(reader.push(Buffer.alloc(17)), false);
  }
});

test("depth is counted outside texts only", () => {
  const deep = (levels: number) => Buffer.from(`${"[".repeat(levels)}${"]".repeat(levels)}`);
  assert.equal(isDeeperThan(10, deep(10)), false);
  assert.equal(isDeeperThan(10, deep(11)), true);
  assert.equal(isDeeperThan(2, Buffer.from('{"a":{"[[[[{\\"{{{":[]}}')), true);
  assert.equal(isDeeperThan(3, Buffer.from('{"a":{"[[[[{\\"{{{":[]}}')), false);
  assert.equal(isDeeperThan(1, Buffer.from("[[],[],[]]")), true);
  assert.equal(isDeeperThan(2, Buffer.from("[[],[],{},[]]")), false);
});

test("a bucket lets a burst through, then its rate", () => {
  let now = 0;
  const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, () => now);
  const taken = () => Array.from({ length: 10 }, () => bucket.take()).filter(Boolean).length;
  assert.equal(taken(), 5);
  now += 300;
  assert.equal(taken(), 3);
  now += 60_000;
  assert.equal(taken(), 5);
  now += 60_000;
  assert.equal(bucket.take(6), false);
  assert.equal(bucket.take(5), true);
});
