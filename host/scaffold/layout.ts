/** Indents declarations whose lines are whole already, and ends their members with semicolons. */
export function layOut(text: string): string {
  let depth = 0;
  let isComment = false;
  const lines = text
    .trim()
    .split("\n")
    .map((given) => {
      // A choice that is all of a type needs no brackets.
      const line = given.trim().replace(/(: |= )\(((?:"[^"]*"|[^(){}"])*)\)$/, "$1$2");
      if (line === "") return "";
      if (line.startsWith("/**")) isComment = true;
      if (isComment) {
        isComment = !line.endsWith("*/");
        const rest = line.startsWith("*") ? ` ${line}` : line;
        return `${"  ".repeat(depth)}${rest}`;
      }
      const [opened, closed] = [count(line, "{"), count(line, "}")];
      const leading = line.startsWith("}") ? 1 : 0;
      const indent = "  ".repeat(Math.max(0, depth - leading));
      depth = Math.max(0, depth + opened - closed);
      const isWhole = !/[{(|&,;]$/.test(line) && (depth > 0 || !line.startsWith("}"));
      return `${indent}${line}${isWhole ? ";" : ""}`;
    });
  return `${lines.join("\n").replaceAll("{\n\n}", "{}")}\n`;
}

/** How often a brace stands in a line, outside of texts. */
function count(line: string, brace: "{" | "}"): number {
  return line.replaceAll(/"(?:[^"\\]|\\.)*"/g, "").split(brace).length - 1;
}
