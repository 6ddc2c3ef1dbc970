// Random commands on their way through what reads them: member names, the document's `inputs`, secrets, staging.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { compileSchema } from "../../../host/documents/schema-check.ts";
import { checkInput } from "../../../host/engine/input-checks.ts";
import { putSecretsIn, setSecretsAside } from "../../../host/engine/run-secrets.ts";
import type { Json, JsonObject } from "../../../host/sdk.ts";
import type { Config } from "../../../plugins/software-update/plugin.types.ts";
import { type GivenModule, namesOf, stageModule } from "../../../plugins/software-update/staging.ts";
import { mapMemberNames } from "../../../plugins/things/member-names.ts";
import { shipped } from "./backend.ts";

const inputs = shipped("software-install").inputs as JsonObject;
const manifest = JSON.parse(
  readFileSync(fileURLToPath(new URL("../../../plugins/software-update/plugin.json", import.meta.url)), "utf8"),
) as { steps: { stage: { output: { properties: { modules: { items: JsonObject } } } } } };
const problemsOf = compileSchema(manifest.steps.stage.output.properties.modules.items);

const config = { artifactType: "archive", install: [], correlationKey: "correlationId" } as unknown as Config;
const directory = "/storage/download/run";

const text = fc.oneof(
  fc.constantFrom(
    "",
    ".",
    "..",
    "../../x",
    "/etc/passwd",
    "install.sh",
    "a.zip",
    "a\0b",
    "*",
    "plain",
    "archive",
    "SHA256",
  ),
  fc.constantFrom("http://h/a", "https://user:secret-word@h/a?sig=secret-word", "file:///x", "00".repeat(32)),
  fc.string({ maxLength: 20, unit: "binary" }),
);
const anything = fc.oneof(
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json> },
  { weight: 1, arbitrary: fc.constantFrom<Json>(null, true, 0, -1, 1e300, "", [], {}) },
);
/** Mostly what is expected, at times anything. */
const mostly = (arbitrary: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 40, arbitrary }, { weight: 1, arbitrary: anything }) as fc.Arbitrary<Json>;
const spelt = (name: string) =>
  fc.constantFrom(name, name, name.toLowerCase(), name.toUpperCase(), name[0]!.toUpperCase() + name.slice(1));
/** An object with some of these members, their names in any case. */
const members = (of: Record<string, fc.Arbitrary<Json>>) =>
  fc
    .tuple(
      ...Object.entries(of).map(([name, arbitrary]) =>
        fc.oneof(
          { weight: 9, arbitrary: fc.tuple(spelt(name), arbitrary) },
          { weight: 1, arbitrary: fc.constant(undefined) },
        ),
      ),
    )
    .map((entries) => Object.fromEntries(entries.filter((entry) => entry !== undefined)) as Json);
const map = (keys: string[], value: fc.Arbitrary<Json>) =>
  fc.dictionary(fc.oneof(fc.constantFrom(...keys), text), value, { maxKeys: 3 }) as fc.Arbitrary<Json>;

const artifact = members({
  filename: mostly(text),
  size: mostly(fc.oneof(fc.integer(), fc.constant(null))),
  checksums: mostly(map(["SHA256", "SHA1", "MD5"], mostly(text))),
  download: mostly(map(["HTTPS", "HTTP", "FILE"], mostly(members({ url: mostly(text), md5url: mostly(text) })))),
});
const keys = ["artifact-type", "copy-artifacts", "installed-deps", "AES256.key", "AES256.iv", "AES256.format"];
const module = members({
  softwareModule: mostly(members({ name: mostly(text), version: mostly(text) })),
  artifacts: mostly(fc.array(mostly(artifact), { maxLength: 3 })),
  metaData: mostly(map(keys, mostly(text))),
});
const command = mostly(
  members({
    correlationId: mostly(text),
    weight: mostly(fc.integer()),
    forced: mostly(fc.boolean()),
    metadata: mostly(map(["a"], mostly(text))),
    softwareModules: mostly(fc.array(mostly(module), { maxLength: 3 })),
  }),
);

/** Whatever the value, it is refused with a code, or each of its modules is, or it is staged within its folder. */
export function stagesOrRefuses(numRuns: number): void {
  const seen = { refused: 0, incomplete: 0, staged: 0 };
  fc.assert(
    fc.property(command, (value) => {
      const mapped = mapMemberNames(value, inputs);
      try {
        checkInput("software-install", inputs, mapped);
      } catch (error) {
        seen.refused += 1;
        return assert.equal((error as { code: string }).code, "INPUT_INVALID");
      }
      const kept = structuredClone(mapped);
      const secrets = setSecretsAside(inputs, kept);
      const given = putSecretsIn(kept, (name) => secrets[name]) as { softwareModules?: GivenModule[] | null };
      assert.deepEqual(given, mapped);
      assert.ok(!/"url":"[^"]*secret-word/.test(JSON.stringify(kept)));
      for (const [index, one] of (given.softwareModules ?? []).entries()) stageOne(one, index);
    }),
    { numRuns },
  );
  for (const [what, count] of Object.entries(seen)) assert.ok(count > numRuns / 50, `${count} ${what}`);

  function stageOne(given: GivenModule, index: number): void {
    try {
      const staged = stageModule(given, namesOf(given, index, "c"), directory, config);
      seen.staged += 1;
      assert.deepEqual(problemsOf(JSON.parse(JSON.stringify(staged))), []);
      const places = [staged.directory, staged.workDirectory, ...staged.artifacts.map(({ directory: of }) => of)];
      for (const place of places) assert.match(place, /^\/storage\/download\/run\/\d+(?:\.content|\.encrypted)?$/);
      if (staged.archive !== null) assert.match(staged.archive, /^\/storage\/download\/run\/\d+\/[^/]+$/);
    } catch (error) {
      if ((error as { code?: string }).code !== "SOFTWARE_UPDATE_ARTIFACT_INCOMPLETE") throw error;
      seen.incomplete += 1;
    }
  }
}
