/** One thing in an archive, whatever its format. */
export interface Entry {
  kind: "file" | "directory" | "symlink" | "hardlink";
  /** Relative, see names.ts; "" is the folder itself. */
  path: string;
  /** The nine permission bits; others are gone. */
  mode: number;
  /** Of a file's content, which has exactly so many. */
  sizeBytes: number;
  modifiedAt: Date | undefined;
  /** Where a link leads, as the archive says. */
  target: string;
  /** A file's bytes; to be read to the end before the next entry is asked for. */
  content: AsyncIterable<Uint8Array>;
}

export async function* noContent(): AsyncGenerator<Uint8Array> {}
