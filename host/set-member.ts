/** Sets a member of an object or list, whatever its key: assigning to `__proto__` would change the object instead. */
export function setMember(holder: object, key: string | number, value: unknown): void {
  if (key !== "__proto__") (holder as Record<string | number, unknown>)[key] = value;
  else Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}
