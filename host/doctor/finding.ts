/** What one look at the machine has brought. */
export interface Finding {
  /** What was looked at, in a word or two. */
  about: string;
  state: "good" | "warning" | "missing";
  message: string;
  /** What to do; there unless all is good. */
  remedy?: string;
}

export const good = (about: string, message: string): Finding => ({ about, state: "good", message });
export const warning = (about: string, message: string, remedy: string): Finding => {
  return { about, state: "warning", message, remedy };
};
export const missing = (about: string, message: string, remedy: string): Finding => {
  return { about, state: "missing", message, remedy };
};
