/** One line without control characters, so that what comes from outside cannot drive the terminal or forge lines. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
}
