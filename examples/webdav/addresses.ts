import { createHash } from "node:crypto";
import { PluginError } from "gantry";
import { parseUrl } from "gantry/toolkit/addresses";

/** The URL of a collection, with the slash at its end. Throws WEBDAV_OPTION_INVALID. */
export function collectionOf(address: string): URL {
  const url = parseUrl(address);
  // Not a word of the address: it may hold a password.
  if (url === null) throw invalid("the address is none of HTTP or HTTPS");
  if (url.username !== "" || url.password !== "") throw invalid("user and password do not belong into the address");
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  url.search = "";
  url.hash = "";
  return url;
}

export interface Place {
  /** Of the file. */
  target: URL;
  /** Where it is until all of it is there: beside the other one, so that a move changes only the name. */
  draft: URL;
  /** The collection that both are in. */
  collection: URL;
}

/** `key` tells uploads apart that go on at the same time. Throws WEBDAV_OPTION_INVALID. */
export function placeOf(collection: URL, name: string, key: string): Place {
  const segments = name.split("/").map(segmentOf);
  const last = segments.pop()!;
  const inner = new URL(segments.map((segment) => `${segment}/`).join(""), collection);
  const mark = createHash("sha256").update(key).digest("hex").slice(0, 8);
  return { target: new URL(last, inner), draft: new URL(`.${last}.${mark}.part`, inner), collection: inner };
}

function segmentOf(segment: string): string {
  if (["", ".", ".."].includes(segment)) throw invalid("the name has an empty part, `.` or `..`");
  // With `./` a colon in it is no scheme.
  return encodeURIComponent(segment);
}

/** The collection around this one; undefined for the outermost. */
export function parentOf(collection: URL): URL | undefined {
  const parent = new URL("..", collection);
  return parent.pathname === collection.pathname ? undefined : parent;
}

const invalid = (message: string) => new PluginError("WEBDAV_OPTION_INVALID", message);
