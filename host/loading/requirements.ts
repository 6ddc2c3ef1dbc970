// What a plugin requires -> which plugins that means. A requirement names a service, all services of a kind
// (`upload-target:*`), or a plugin.

export interface Provider {
  name: string;
  /** Names of its services. */
  provides: readonly string[];
  /** `installed`: built-in and not listed in plugins.json, so that it can be activated by itself. */
  standing: "enabled" | "installed" | "disabled";
}

export type Requirement =
  | { outcome: "met"; plugins: string[]; services: string[] }
  | { outcome: "disabled"; plugin: string }
  | { outcome: "unknown" };

/** An enabled plugin is preferred to one that is only installed, and a service to a plugin of the same name. */
export function resolveRequirement(required: string, requirer: string, providers: readonly Provider[]): Requirement {
  const usable = [
    ...providers.filter(({ standing }) => standing === "enabled"),
    ...providers.filter(({ standing }) => standing === "installed"),
  ];
  if (required.endsWith(":*")) {
    const ofKind = (service: string) => service.startsWith(required.slice(0, -1));
    const found = usable.filter(({ name, provides }) => name !== requirer && provides.some(ofKind));
    return {
      outcome: "met",
      plugins: found.map(({ name }) => name),
      services: [...new Set(found.flatMap(({ provides }) => provides.filter(ofKind)))],
    };
  }
  const provider = usable.find(({ provides }) => provides.includes(required));
  if (provider !== undefined) return { outcome: "met", plugins: [provider.name], services: [required] };
  if (usable.some(({ name }) => name === required)) return { outcome: "met", plugins: [required], services: [] };
  const disabled = providers.find(({ name, provides }) => name === required || provides.includes(required));
  return disabled === undefined ? { outcome: "unknown" } : { outcome: "disabled", plugin: disabled.name };
}
