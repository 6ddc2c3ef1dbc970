import { test } from "node:test";
import { readsOrRefuses } from "./reading.ts";

test("each of 100,000 texts is read as an envelope or refused with a code", () => readsOrRefuses(100_000));
