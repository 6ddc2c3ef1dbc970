// @ts-check
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline/promises";
import { test } from "node:test";
import { startTestHost } from "gantry/testing";

const workflows = {
  order: {
    on: [{ trigger: "line/received", with: { port: 0 } }],
    inputs: { type: "object", required: ["item"], properties: { item: { type: "string" } } },
    steps: [{ uses: "host/signal", with: { name: "ordered" } }],
    outputs: "${{ inputs.item }}",
  },
};

test("each line gives one run, and its sender hears of it once it is on disk", async () => {
  await using host = await startTestHost({ plugins: [new URL("..", import.meta.url)], workflows });
  const { port } = /** @type {{ port: number }} */ (
    /** @type {unknown} */ (host.log.find(({ msg }) => msg === "listens"))
  );
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  /** @param {string} line */
  const ask = async (line) => {
    socket.write(`${line}\n`);
    return JSON.parse((await lines.next()).value ?? "null");
  };
  const first = await ask('{"id": 1, "input": {"item": "bolt"}}');
  assert.equal(host.found(first.run)?.workflow, "order");
  assert.equal((await host.ended(first.run)).output, "bolt");
  // The answer was lost, and the sender asks again.
  assert.deepEqual(await ask('{"id": 1, "input": {"item": "bolt"}}'), first);
  assert.notEqual((await ask('{"id": 1, "input": {"item": "nut"}}')).run, first.run);
  assert.equal((await ask('{"id": 2, "input": {}}')).error.code, "INPUT_INVALID");
  assert.equal((await ask("hello")).error.code, "LINE_INVALID");
  assert.equal(host.runs("order").length, 2);
  socket.destroy();
});
