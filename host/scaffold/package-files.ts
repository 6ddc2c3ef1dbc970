import type { Facts } from "./templates/template.ts";

/** What every new plugin has beside its manifest and its code. `readme` says what it contributes. */
export function packageFiles(facts: Facts, readme: string): Record<string, string> {
  const { name, extension, types } = facts;
  return {
    "package.json": json({
      name: `gantry-${name}`,
      version: "0.1.0",
      type: "module",
      scripts: {
        test: `node --test "test/*.test.${extension}"`,
        contract: "gantry plugin test .",
        check: "tsc --noEmit -p .",
        types: "gantry plugin types .",
      },
    }),
    "tsconfig.json": json({
      compilerOptions: {
        target: "esnext",
        module: "nodenext",
        types: ["node"],
        strict: true,
        noUncheckedIndexedAccess: true,
        exactOptionalPropertyTypes: true,
        verbatimModuleSyntax: true,
        ...(extension === "ts" ? { erasableSyntaxOnly: true } : { allowJs: true, checkJs: true }),
        allowImportingTsExtensions: true,
        noEmit: true,
        skipLibCheck: true,
      },
    }),
    "README.md": `# ${name}

A plugin for Gantry. Name it in \`plugins.json\`:

\`\`\`json
{ "plugins": [{ "plugin": "./plugins/${name}" }] }
\`\`\`

${readme}
## Work on it

| command | |
|---|---|
| \`gantry dev\` | a host that takes up each change, and runs the step again |
| \`npm test\` | its tests, on a real host |
| \`npm run contract\` | tries what every plugin has to hold, with the \`examples\` of \`plugin.json\` |
| \`npm run types\` | writes \`${types}\` from the schemas in \`plugin.json\`; \`gantry dev\` does it by itself |
| \`npm run check\` | checks the types; needs \`typescript\` and \`@types/node\` |

All that is in this folder is pinned when a host first uses it, so keep data and packages outside of it.
`,
  };
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
