import { PluginError } from "gantry";

/** What a status other than 2xx means. */
export function refusal(method: string, { status, reason }: { status: number; reason: string }): PluginError {
  const message = `the server answers ${method} with ${status} ${reason}`.trimEnd();
  return new PluginError(codeOf(status), message, { details: { method, status } });
}

const codes: Record<number, string> = {
  401: "WEBDAV_DENIED",
  403: "WEBDAV_DENIED",
  405: "WEBDAV_NO_SERVER",
  408: "WEBDAV_SERVER_ERROR",
  413: "WEBDAV_FULL",
  423: "WEBDAV_LOCKED",
  429: "WEBDAV_SERVER_ERROR",
  501: "WEBDAV_NO_SERVER",
  507: "WEBDAV_FULL",
};

function codeOf(status: number): string {
  const known = codes[status];
  if (known !== undefined) return known;
  if (status >= 500) return "WEBDAV_SERVER_ERROR";
  return status < 400 ? "WEBDAV_NO_SERVER" : "WEBDAV_REFUSED";
}

export const isSuccess = ({ status }: { status: number }) => status >= 200 && status < 300;
