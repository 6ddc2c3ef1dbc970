/** `lamp/blink` names the plugin `lamp` and what it has under `blink`. */
export function splitAddress(address: string): [plugin: string, name: string] {
  const slash = address.indexOf("/");
  return [address.slice(0, slash), address.slice(slash + 1)];
}
