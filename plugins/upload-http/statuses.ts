import { PluginError } from "gantry";
import type { UploadAnswer } from "gantry/toolkit/uploads";

const passing = [408, 425, 429];

/** Throws what a status other than 2xx means, in the words of the original. */
export function judge({ status, reason }: UploadAnswer): void {
  if (status >= 200 && status < 300) return;
  const text = `upload failed - code: ${status}, status: ${status} ${reason}`.trimEnd();
  throw new PluginError(codeOf(status), text, { details: { status } });
}

function codeOf(status: number): string {
  if (status >= 500 || passing.includes(status)) return "UPLOAD_HTTP_SERVER_ERROR";
  if (status === 401 || status === 403) return "UPLOAD_HTTP_DENIED";
  if (status === 404 || status === 410) return "UPLOAD_HTTP_NOT_FOUND";
  return status < 400 ? "UPLOAD_HTTP_REDIRECTED" : "UPLOAD_HTTP_REFUSED";
}
