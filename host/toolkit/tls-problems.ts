// What an error of TLS means for whoever has to mend it: Node and OpenSSL have some fifty codes for four cases.

/**
 * - `untrusted`: the certificate is signed by an authority that is not trusted.
 * - `wrong-name`: it is for another name.
 * - `expired`: it is not valid at this time.
 * - `failed`: no secure connection comes about for another reason.
 */
export type TlsProblem = "untrusted" | "wrong-name" | "expired" | "failed";

const nameMismatch = ["ERR_TLS_CERT_ALTNAME_INVALID", "HOSTNAME_MISMATCH"];
const outOfDate = ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID", "CRL_HAS_EXPIRED"];
const unknownAuthority =
  /^(UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED|DEPTH_ZERO|CERT_UNTRUSTED|INVALID_CA)/;
const others = /^(ERR_(TLS|SSL|OSSL)|CERT_|CRL_|ERROR_IN_C|UNABLE_TO_|PATH_LENGTH|INVALID_PURPOSE|UNSPECIFIED|EPROTO)/;

/** By the `code` of an error; undefined where it has nothing to do with TLS. */
export function tlsProblemOf(code: string): TlsProblem | undefined {
  if (nameMismatch.includes(code)) return "wrong-name";
  if (outOfDate.includes(code)) return "expired";
  if (unknownAuthority.test(code)) return "untrusted";
  return others.test(code) ? "failed" : undefined;
}
