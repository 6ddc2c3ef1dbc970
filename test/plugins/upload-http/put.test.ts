import { testUploadTarget } from "../../conformance/upload-target.ts";
import { startPutServer } from "../../support/put-server.ts";

const authorization = "Bearer a-secret-token";

testUploadTarget("upload-http", {
  skip: false,
  async open() {
    const server = await startPutServer({ authorization });
    const url = (path: string, port: number) =>
      `http://127.0.0.1:${port}/${path.split("/").map(encodeURIComponent).join("/")}?signature=a-secret-signature`;
    const refusing = (path: string, code: string) => ({ input: (port: number) => ({ url: url(path, port) }), code });
    return {
      plugin: "upload-http",
      config: { partSizeBytes: 1 << 20 },
      port: server.port,
      partBytes: 1 << 20,
      input: (name, port) => ({ url: url(name, port) }),
      partedInput: (name, port) => ({ url: url(name, port), resume: "content-range" }),
      read: async (name) => server.files.get(`/${name}`),
      refused: {
        "no authorization": refusing("private/x", "UPLOAD_HTTP_DENIED"),
        "a wrong one": {
          input: (port) => ({ url: url("private/x", port), headers: { Authorization: "Bearer another-secret" } }),
          code: "UPLOAD_HTTP_DENIED",
        },
        "a place that is not there": refusing("missing/x", "UPLOAD_HTTP_NOT_FOUND"),
        "a redirect": refusing("elsewhere/x", "UPLOAD_HTTP_REDIRECTED"),
        "too large": refusing("large/x", "UPLOAD_HTTP_REFUSED"),
        "no address": { input: () => ({ url: "ftp://a-secret-host/" }), code: "UPLOAD_HTTP_OPTION_INVALID" },
        "a header that belongs to the connection": {
          input: (port) => ({ url: url("x", port), headers: { "Content-Length": "1" } }),
          code: "UPLOAD_HTTP_HEADER_INVALID",
        },
      },
      afterChange: "UPLOAD_HTTP_NOT_RESUMABLE",
      secrets: ["a-secret", "another-secret"],
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
});
