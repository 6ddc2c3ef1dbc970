import assert from "node:assert/strict";
import { test } from "node:test";
import { tlsProblemOf } from "gantry/toolkit/tls-problems";

// As Node 26 gives them; tls.test.ts of the plugins download and http meet some of them for real.
const codes = {
  untrusted: [
    "SELF_SIGNED_CERT_IN_CHAIN",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "INVALID_CA",
  ],
  "wrong-name": ["ERR_TLS_CERT_ALTNAME_INVALID", "HOSTNAME_MISMATCH"],
  expired: ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID", "CRL_HAS_EXPIRED"],
  failed: ["ERR_SSL_WRONG_VERSION_NUMBER", "EPROTO", "CERT_REVOKED", "UNABLE_TO_GET_CRL", "INVALID_PURPOSE"],
};

test("each code of TLS is one of four cases, and no other code is", () => {
  for (const [problem, of] of Object.entries(codes))
    for (const code of of) assert.equal(tlsProblemOf(code), problem, code);
  for (const code of ["", "ECONNREFUSED", "ENOTFOUND", "ERR_PROXY_TUNNEL", "HPE_INVALID_CONSTANT"])
    assert.equal(tlsProblemOf(code), undefined, code);
});
