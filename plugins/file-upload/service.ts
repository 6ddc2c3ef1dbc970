// What a provider of storage offers file-upload: a service `upload-target:<name>`, where `<name>` is what a hub says in
// the option `storage.provider`. The file itself goes by a step of the provider's own, in the document.

export interface UploadTarget {
  /**
   * Judges the options of a `start` command, all texts, before it is answered: rejects where they lack something. The
   * message is what the hub is answered; it must hold no secret. `options` may hold secrets.
   */
  check(start: { options: Record<string, string> }): Promise<void>;
}
