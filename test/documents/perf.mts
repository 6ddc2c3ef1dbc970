import { compile, evaluate, parseText } from "/work/main/host/expressions/index.ts";
import { checkFile, checkText } from "/work/main/test/documents/check-file.ts";
import { globSync, readFileSync, statSync } from "node:fs";
const time = (name: string, f: () => any) => { const t = performance.now(); let r: any; try { r = f(); } catch (e: any) { r = e.code + " " + e.message.slice(0, 60); } console.log(name, (performance.now() - t).toFixed(1), "ms", typeof r === "object" ? "" : String(r).slice(0, 80)); };
for (const range of ["1||".repeat(20000), " ".repeat(60000) + "1", "1.0.0 - ".repeat(8000), "x".repeat(60000), "^".repeat(60000), ">1 ".repeat(20000), "1".repeat(60000), "1.".repeat(30000),"- ".repeat(30000)])
  time("semver " + range.slice(0, 6), () => evaluate(compile("${{ semver('1.0.0', a) }}"), { a: range }));
const big = Array.from({ length: 200000 }, (_, i) => i);
time("contains 200k", () => evaluate(compile("${{ contains(a, -1) }}"), { a: big }));
time("== 200k", () => evaluate(compile("${{ a == b }}"), { a: big, b: [...big] }));
time("join 1M nulls", () => evaluate(compile("${{ length(join(a, '')) }}"), { a: Array(1000000).fill(null) }));
time("toJSON 1M", () => evaluate(compile("${{ toJSON(a) }}"), { a: Array(1000000).fill("abc") }));
const dir = "/work/main/test/fixtures/broken/";
const names = globSync("*/*.json", { cwd: dir }).filter((n) => !n.includes("expected"));
const kinds: any = { syntax: "workflow", workflows: "workflow", manifests: "manifest", configurations: "configuration" };
for (let i = 0; i < 3; i++) time(`corpus of ${names.length}`, () => names.flatMap((n) => checkFile(dir + n, kinds[n.split("/")[0]!])).length);
const fit = (make: (n: number) => string) => { let n = 100; while (make(n * 1.1 | 0).length < 1 << 20) n = (n * 1.1) | 0; return make(n); };
const flow = (step: any) => (n: number) => JSON.stringify({ name: "big", inputs: {}, steps: Array.from({ length: n }, (_, i) => step(i)) }, undefined, 1);
const docs: Record<string, (i: number) => any> = {
  sound: (i) => ({ id: `s${i}`, uses: "mqtt/publish", with: { topic: "a/${{ inputs.a }}", payload: i > 0 ? "${{ steps.s" + (i - 1) + ".status }}" : 1 } }),
  "unknown keys": (i) => ({ uses: "mqtt/publish", wiht: { topic: "a", payload: 1 } }),
  "wrong if": (i) => ({ if: "x", timeout: "1", uses: "mqtt/publish", with: { topic: "a", payload: 1 } }),
  "wrong with": (i) => ({ uses: "mqtt/publish", with: { topic: 1, payload: 1, qos: 7, nix: 1 } }),
  "bad expressions": (i) => ({ uses: "mqtt/publish", with: { topic: "${{ nix }}", payload: "${{ steps.a" + i + ".x }} ${{ = }}" } }),
  "unknown step": (i) => ({ id: `s${i}`, uses: "mqtt/publsh" }),
  "unknown reference": (i) => ({ id: `sabcd${i}`, uses: "mqtt/publish", with: { topic: "a", payload: "${{ steps.sabcd" + (i + 1) + "x.status }}" } }),
};
for (const [name, step] of Object.entries(docs)) { const t = fit(flow(step)); time(`1 MiB ${name}`, () => checkText(t).length); }
const wide = JSON.stringify({ name: "w", vars: Object.fromEntries(Array.from({ length: 30000 }, (_, i) => ["k" + i, "${{ nix }} " + i])), steps: [] }); time(`wide ${wide.length}`, () => checkText(wide).length);
const dup = `{${Array.from({ length: 60000 }, (_, i) => `"k${i}":{}`).join()}}`; time(`dup/unknown root ${dup.length}`, () => checkText(dup).length);
const long = JSON.stringify({ name: "l", vars: { a: "${{ a }}".repeat(100000) }, steps: [] }); time("one long text " + long.length, () => checkText(long).length);
const quotes = JSON.stringify({ name: "l", vars: { a: "${{ ' }} ".repeat(100000) }, steps: [] }); time("quotes " + quotes.length, () => checkText(quotes).length);
const open = JSON.stringify({ name: "l", vars: { a: "${{".repeat(300000) }, steps: [] }); time("open " + open.length, () => checkText(open).length);
