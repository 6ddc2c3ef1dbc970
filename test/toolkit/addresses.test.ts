import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUrl, shown } from "gantry/toolkit/addresses";

test("addresses are those of HTTP and HTTPS", () => {
  assert.equal(parseUrl("HTTPS://Example.org/a")?.href, "https://example.org/a");
  assert.equal(parseUrl("http://[::1]:8080")?.port, "8080");
  for (const address of ["", "ftp://example.org/", "file:///etc/passwd", "javascript:1", "//example.org", "http://"])
    assert.equal(parseUrl(address), null, address);
});

test("an address is shown without user, password, query and fragment", () => {
  assert.equal(shown(new URL("https://me:word@example.org:8443/a/b?sig=abc#key")), "https://example.org:8443/a/b");
});
