import type { PluginManifest } from "../../schemas/plugin.types.ts";
import { toldProblems } from "../documents/told-problems.ts";
import { GantryError } from "../errors.ts";
import type { Contributions } from "../sdk.ts";

/**
 * Holds what `setup` returned against the manifest, on which documents were checked. Throws PLUGIN_CONTRACT_BROKEN
 * naming everything that is missing or too much.
 */
export function checkContributions(
  manifest: PluginManifest,
  contributions: unknown,
): asserts contributions is Contributions {
  const problems = isObject(contributions)
    ? [
        ...compare("step", manifest.steps, contributions.steps, ["run"]),
        ...compare("trigger", manifest.triggers, contributions.triggers, ["start"]),
        ...compare("service", manifest.provides, contributions.services, []),
        ...Object.entries(manifest.provides ?? {}).flatMap(([name, { methods, streams }]) =>
          missingMembers(`service ${name}`, member(contributions.services, name), [
            ...Object.keys(methods ?? {}),
            ...Object.keys(streams ?? {}),
          ]),
        ),
        ...(contributions.stop === undefined || typeof contributions.stop === "function"
          ? []
          : ["`stop` is no function"]),
      ]
    : ["`setup` returned no object"];
  if (problems.length === 0) return;
  const told = toldProblems(problems);
  throw new GantryError("PLUGIN_CONTRACT_BROKEN", `its code and its plugin.json disagree: ${told.join("; ")}`, {
    details: { problems: told },
  });
}

function compare(kind: string, declared: object | undefined, given: unknown, members: string[]): string[] {
  if (given !== undefined && !isObject(given)) return [`its ${kind}s are no object`];
  const declaredNames = Object.keys(declared ?? {});
  const givenNames = Object.keys(given ?? {});
  return [
    ...declaredNames
      .filter((name) => !givenNames.includes(name))
      .map((name) => `${kind} ${name} is declared but not contributed`),
    ...givenNames
      .filter((name) => !declaredNames.includes(name))
      .map((name) => `${kind} ${name} is contributed but not declared`),
    ...declaredNames
      .filter((name) => givenNames.includes(name))
      .flatMap((name) => missingMembers(`${kind} ${name}`, member(given, name), members)),
  ];
}

// A service may be an instance of a class, so its members are looked up and not listed.
function missingMembers(what: string, given: unknown, names: string[]): string[] {
  if (given === undefined) return [];
  return names.filter((name) => typeof member(given, name) !== "function").map((name) => `${what} has no \`${name}\``);
}

function member(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
