import { test } from "node:test";
import { stagesOrRefuses } from "./any-command.ts";

test("each of 100,000 random commands is refused with a code, or staged within its folder", () =>
  stagesOrRefuses(100_000));
