export type { Scope } from "./evaluator.ts";
export { functions } from "./functions.ts";
export { type ExpressionFault, hasExpression, type ParsedText, parseText } from "./parse-text.ts";
export { type Reference, wholePathOf } from "./references.ts";
export type { Tree } from "./syntax.ts";
export { compile, evaluate, type Template } from "./template.ts";
