import assert from "node:assert/strict";
import { test } from "node:test";
import { authorizer } from "gantry/toolkit/credentials";

const config = {
  credentials: [
    { origin: "https://files.example:8443", username: "ada", password: { $secret: "PASSWORD" } },
    { origin: "https://api.example/", token: { $secret: "TOKEN" } },
    { origin: "http://plain.example", username: "nobody" },
  ],
};
const authorize = authorizer(config, async (key) => `<${key}>`);
const header = (url: string) => authorize(new URL(url));
const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

test("each origin gets what is for it, by reference, and no other one gets anything", async () => {
  assert.equal(await header("https://files.example:8443/a?b"), basic("ada:<credentials.0.password>"));
  assert.equal(await header("https://api.example/x"), "Bearer <credentials.1.token>");
  assert.equal(await header("http://plain.example/"), basic("nobody:"));
  for (const other of ["https://files.example/", "http://files.example:8443/", "https://x.api.example/"])
    assert.equal(await header(other), undefined);
});

test("what the address itself says goes before, decoded where it can be", async () => {
  assert.equal(await header("https://b%40b:p%25@api.example/"), basic("b@b:p%"));
  assert.equal(await header("https://50%:x@other.example/"), basic("50%:x"));
});

test("a secret that is missing is told as it is, when it is needed", async () => {
  const missing = authorizer(config, () => Promise.reject(new Error("SECRET_MISSING")));
  assert.equal(await missing(new URL("https://other.example/")), undefined);
  await assert.rejects(missing(new URL("https://api.example/")), /SECRET_MISSING/);
});
