// Secrets are named in documents and read from the surroundings of the process, or come with a run; they are masked in
// everything the host writes, those of a run until it has ended.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GantryError } from "./errors.ts";
import type { Json } from "./sdk.ts";
import { SecretForms, shortestForm } from "./secret-forms.ts";

/** What stands in a document in place of a secret. */
export interface SecretReference {
  $secret: string;
}

// A name is also that of an environment variable and of a file, so it can be neither a path nor a hidden file.
const secretName = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

export function isSecretReference(value: unknown): value is SecretReference {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { $secret: name, ...others } = value as Record<string, unknown>;
  return typeof name === "string" && secretName.test(name) && Object.keys(others).length === 0;
}

/** The same value without the members (and items) that are secret references. */
export function withoutSecrets(value: Json): Json {
  if (Array.isArray(value)) return value.filter((item) => !isSecretReference(item)).map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, member]) => !isSecretReference(member));
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutSecrets(member)]));
}

/**
 * Reads the environment variable GANTRY_SECRET_<name>, then <name>, then the systemd credential of that name (one line
 * end at its end is not part of it). Empty counts as missing. Rejects with SECRET_MISSING.
 */
export async function readSecret(name: string): Promise<string> {
  const value = process.env[`GANTRY_SECRET_${name}`] || process.env[name] || (await readCredential(name));
  if (!value)
    throw new GantryError("SECRET_MISSING", `the secret ${name} is neither in the environment nor a credential`);
  registerOnce(value);
  return value;
}

const registered = new Set<string>();

/** For good. */
function registerOnce(value: string): void {
  if (registered.has(value)) return;
  registered.add(value);
  registerSecret(value);
}

async function readCredential(name: string): Promise<string | undefined> {
  const directory = process.env.CREDENTIALS_DIRECTORY;
  if (!directory || !secretName.test(name)) return undefined;
  try {
    return (await readFile(join(directory, name), "utf8")).replace(/\r?\n$/, "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new GantryError("SECRET_MISSING", `the credential ${name} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

const forms = new SecretForms();

/**
 * From now on `mask` hides this value, until what is returned is called. Values under 4 characters are not masked: they
 * would hide half of the log.
 */
export function registerSecret(value: string): () => void {
  const all = value.length < shortestForm ? [] : [...new Set(formsOf(value))];
  for (const form of all) forms.add(form);
  return () => {
    for (const form of all.splice(0)) forms.remove(form);
  };
}

/** Whether there is anything to hide. */
export const hasSecrets = (): boolean => !forms.isEmpty;

/** Replaces every registered secret by `***`, also where it is written as JSON, in base64 or in a URL. */
export function mask(text: string): string {
  return forms.isEmpty ? text : forms.replaceIn(text);
}

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const inBase64 = [0, 1, 2].map((offset) => base64Core(bytes, offset));
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    new URLSearchParams([["", value]]).toString().slice(1),
    bytes.toString("base64"),
    ...inBase64,
    ...inBase64.map((core) => core.replaceAll("+", "-").replaceAll("/", "_")),
  ].filter((form) => form.length >= shortestForm);
}

// Behind other bytes (`user:password` of an Authorization header) the same value is spelt in one of three ways; the core
// is what does not depend on its neighbours.
function base64Core(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}
