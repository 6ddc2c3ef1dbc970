// The planner against the rules of model.ts: random workflows, random results, and a crash after any record.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { plan } from "../../host/engine/plan.ts";
import { compileProgram } from "../../host/engine/program.ts";
import type { Entry } from "../../host/engine/records.ts";
import { nextAttemptAt } from "../../host/engine/retry.ts";
import { applyRecord, emptyState, type NodeState } from "../../host/engine/state.ts";
import type { Workflow, WorkflowStep } from "../../schemas/workflow.types.ts";
import { expectBody, type Ids, type Inner, idOf, type Leaf, type Pause, type Seen, type Tree } from "./model.ts";

// ---- random trees and their documents ----

const common = {
  skipped: fc.nat(5).map((n) => n === 0),
  continueOnError: fc.boolean(),
  undo: fc.constantFrom<Leaf["undo"]>("none", "works", "fails"),
};
const { tree } = fc.letrec<{ tree: Tree; list: Tree[] }>((tie) => ({
  list: fc.array(tie("tree"), { maxLength: 3 }),
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record<Leaf>({
      form: fc.constant("leaf"),
      name: fc.stringMatching(/^[a-z]{3}$/),
      failures: fc.nat(3),
      retries: fc.nat(3),
      retryable: fc.boolean(),
      ...common,
    }),
    fc.record<Pause>({ form: fc.constant("pause"), ...common, undo: fc.constant("none") }),
    fc.record<Inner>({
      form: fc.constantFrom("block", "loop", "call"),
      items: fc.nat(3),
      steps: tie("list"),
      onFailure: tie("list"),
      finally: tie("list"),
      ...common,
    }),
  ),
}));

/** `called` takes the workflows that calls lead to. `where` is the tree's place in the words of the model. */
function documentOf(
  item: Tree,
  called: Map<string, Workflow>,
  where: string,
  id: string,
  clean: boolean,
): WorkflowStep {
  const shared = { id, if: `\${{ ${!item.skipped} }}`, continueOnError: item.continueOnError };
  const undoing = item.undo === "none" || clean ? {} : { undo: { uses: "test/undo" } };
  if (item.form === "pause") return { uses: "host/wait", with: { duration: "7s" }, ...shared } as WorkflowStep;
  if (item.form === "leaf") {
    const { name, retries } = item;
    const retry = { retries, delay: "1s", backoff: 1 };
    return { uses: `test/${name}`, with: { sees: "${{ steps }}" }, retry, ...undoing, ...shared } as WorkflowStep;
  }
  if (item.form === "call") {
    const name = `w${called.size}`;
    called.set(name, { name, steps: [] });
    called.set(name, { name, ...bodyOf(item, called, `${where}c`, false) } as Workflow);
    return { uses: `workflow:${name}`, ...undoing, ...shared } as WorkflowStep;
  }
  if (item.form === "block") return { ...bodyOf(item, called, where, clean), ...shared } as WorkflowStep;
  const forEach = Array.from({ length: item.items }, (_, index) => index);
  return { forEach, as: "it", ...bodyOf(item, called, `${where}[]`, clean), ...shared } as WorkflowStep;
}

function bodyOf(
  item: Pick<Inner, "steps" | "onFailure" | "finally">,
  called: Map<string, Workflow>,
  where: string,
  clean: boolean,
): Omit<Workflow, "name"> {
  const list = (trees: Tree[], place: string, cleaning: boolean): WorkflowStep[] =>
    trees.map((inner, index) => documentOf(inner, called, `${place}.${index}`, idOf(place, index), cleaning));
  const last = item.steps.length === 0 ? null : `\${{ steps.${idOf(`${where}s`, item.steps.length - 1)} }}`;
  return {
    steps: list(item.steps, `${where}s`, clean),
    onFailure: list(item.onFailure, `${where}f`, true),
    finally: list(item.finally, `${where}z`, true),
    outputs: { last },
  };
}

/** What acts at a path of the journal, or what is undone there; and its place in the words of the model. */
function locate(root: Inner, path: string): { tree: Tree; where: string; undoes: boolean } {
  const words = path.split("/");
  const names = { steps: "s", onFailure: "f", finally: "z" } as const;
  let body: Inner = root;
  let where = "";
  for (;;) {
    if (words[0] === "items") where += `[${words.splice(0, 2)[1]}]`;
    if (words[0] === "call") where += words.shift()!.slice(0, 1);
    const [list, index] = words.splice(0, 2) as [keyof typeof names, string];
    where += `${names[list]}.${index}`;
    const tree = body[list][Number(index)]!;
    if (words[0] === "undo") return { tree, where, undoes: true };
    if (tree.form === "leaf") return { tree, where, undoes: false };
    body = tree as Inner;
  }
}

test("attempts, their order, what they see and the end are those of the rules, whatever record a crash comes after", () => {
  fc.assert(
    fc.property(
      fc.array(tree, { maxLength: 3 }),
      fc.array(tree, { maxLength: 2 }),
      fc.array(fc.nat(20), { maxLength: 30 }),
      (steps, failing, crashes) => {
        const root: Inner = {
          form: "block",
          undo: "none",
          items: 0,
          skipped: false,
          continueOnError: false,
          steps,
          onFailure: failing,
          finally: failing,
        };
        const expected: Seen = { attempts: [], undoable: [] };
        const { good, outputs } = expectBody(root, expected, "", false, {});

        const called = new Map<string, Workflow>();
        const document = { name: "t", ...bodyOf(root, called, "", false) } as unknown as Workflow;
        const { order, state } = carryOut(root, document, called, crashes);
        assert.deepEqual(order, expected.attempts);
        assert.deepEqual(state.ended, {
          status: good ? "succeeded" : "failed",
          output: outputs,
          error: state.ended!.error,
        });
        assert.equal(state.ended!.error === null, good);
      },
    ),
    { numRuns: 600 },
  );
});

function carryOut(root: Inner, document: Workflow, called: Map<string, Workflow>, crashes: number[]) {
  const program = compileProgram(document, called);
  const journal: Entry[] = [];
  let state = emptyState();
  let now = 0;
  const order: Seen["attempts"] = [];
  for (let turn = 0; ; turn++) {
    assert.ok(turn < 10_000, "the run never ends");
    const next = plan(program, state, {}, now);
    journal.push(...next.records);
    if (crashes[turn] !== undefined && crashes[turn]! > 10) {
      // Everything in memory is gone; what was committed is read again.
      state = emptyState();
      for (const entry of journal) applyRecord(state, JSON.parse(JSON.stringify(entry)));
      continue;
    }
    if (state.ended !== undefined) return { order, state };
    assert.ok(next.attempts.length <= 1, "steps of these workflows go one after the other");
    const attempt = next.attempts[0];
    if (attempt === undefined) {
      assert.ok(next.wakeAt !== undefined && next.wakeAt > now, "nothing to do and nothing to wait for");
      now = next.wakeAt;
      continue;
    }
    const { path } = attempt;
    const { tree: acting, where, undoes } = locate(root, path);
    const node = state.nodes.get(path)!;
    const name = undoes ? `${where}~` : `${where}:${(acting as Leaf).name}#${node.attempt}`;
    assert.ok(!order.some((before) => before.name === name), `${name} ended and begins again`);
    const sees = (node.begun!.input as { sees?: unknown }).sees as Ids | undefined;
    order.push({ name, sees: sees === undefined ? undefined : { ...sees } });
    const entry = undoes ? undone(acting, path) : resultOf(acting as Leaf, path, node, now);
    applyRecord(state, entry);
    journal.push(entry);
  }
}

function undone({ undo: result }: Tree, path: string): Entry {
  if (result === "works") return { kind: "succeeded", path, data: { output: {} } };
  return { kind: "failed", path, data: { error: { code: "NO", message: "no", retryable: true } } };
}

function resultOf(leaf: Leaf, path: string, node: NodeState, now: number): Entry {
  if (node.attempt > leaf.failures) return { kind: "succeeded", path, data: { output: { made: node.attempt } } };
  const error = { code: "NO", message: "no", retryable: leaf.retryable };
  const at = nextAttemptAt(node.begun?.retry, node.attempt, error, now);
  return at === undefined ? { kind: "failed", path, data: { error } } : { kind: "retry", path, data: { error, at } };
}

test("a long loop keeps no records of its items once it has ended, and everything is undone all the same", () => {
  const undo = { uses: "t/undo", with: { of: "${{ x }} ${{ y }}" } };
  const many = Array.from({ length: 101 }, (_, index) => index);
  const document = {
    name: "t",
    steps: [
      {
        forEach: [1, 2],
        as: "x",
        steps: [{ forEach: many, as: "y", steps: [{ uses: "t/do", undo }, { uses: "t/do" }] }],
      },
      { forEach: many, as: "x", steps: [{ forEach: many, as: "y", steps: [] }] },
      { uses: "t/fail" },
    ],
  } as unknown as Workflow;
  const program = compileProgram(document);
  let state = emptyState();
  let journal: Entry[] = [];
  const undone: string[] = [];
  for (let turn = 0; state.ended === undefined; turn++) {
    const next = plan(program, state, {}, 0);
    journal.push(...next.records);
    for (const { under, keep } of next.prunes)
      journal = journal.filter(({ path }) => !path.startsWith(`${under}/`) || keep.includes(path));
    if (turn % 37 === 0) {
      state = emptyState();
      for (const entry of journal) applyRecord(state, JSON.parse(JSON.stringify(entry)));
    }
    for (const { path, action } of next.attempts) {
      if (action.uses === "t/fail") assertNoItems(journal, many.length);
      if (action.uses === "t/undo") undone.push((state.nodes.get(path)!.begun!.input as { of: string }).of);
      const error = { code: "NO", message: "no", retryable: false };
      const entry: Entry =
        action.uses === "t/fail"
          ? { kind: "failed", path, data: { error } }
          : { kind: "succeeded", path, data: { output: {} } };
      applyRecord(state, entry);
      journal.push(entry);
    }
  }
  const inOrder = [1, 2].flatMap((x) => many.map((y) => `${x} ${y}`));
  assert.deepEqual(undone, inOrder.reverse());
  assert.equal(state.ended.status, "failed");
});

function assertNoItems(journal: Entry[], items: number): void {
  const inside = (path: string) => journal.filter((entry) => entry.path.startsWith(`${path}/`));
  assert.equal(inside("steps/1").length, 0);
  // What may have to be undone stays: a record where it began and one where it ended.
  const kept = inside("steps/0").filter(({ path }) => /\/items\/\d+\/steps\/0\/items\/\d+\/steps\/0$/.test(path));
  assert.equal(kept.length, 2 * 2 * items);
  assert.ok(inside("steps/0").length - kept.length < 20);
}
