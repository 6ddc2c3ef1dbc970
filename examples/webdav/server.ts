// What is asked of a WebDAV server (RFC 4918), each request with the watch and the limits that all uploads have.

import { shown } from "gantry/toolkit/addresses";
import {
  connectionFailure,
  sendUpload,
  type Upload,
  type UploadAnswer,
  type UploadPart,
  type UploadRequest,
} from "gantry/toolkit/uploads";
import { parentOf } from "./addresses.ts";
import { isSuccess, refusal } from "./statuses.ts";

type Headers = UploadRequest["headers"];

export class DavServer {
  readonly #upload: Upload;
  readonly #agent: UploadRequest["agent"];
  readonly #headers: Headers;

  constructor(upload: Upload, agent: UploadRequest["agent"], authorization: string | undefined) {
    this.#upload = upload;
    this.#agent = agent;
    this.#headers = { "user-agent": "gantry", ...(authorization === undefined ? {} : { authorization }) };
  }

  async put(url: URL, content: UploadPart): Promise<void> {
    await this.#expect("PUT", url, { "content-type": "application/octet-stream" }, content);
  }

  /** Takes the place of what is there. */
  async move(from: URL, to: URL): Promise<void> {
    await this.#expect("MOVE", from, { destination: to.href, overwrite: "T" });
  }

  async remove(url: URL): Promise<void> {
    await this.#ask("DELETE", url);
  }

  /** Makes the collection where it is missing, and what is missing around it. */
  async provide(collection: URL): Promise<void> {
    const found = await this.#ask("PROPFIND", collection, { depth: "0" });
    if (found.status === 404 || found.status === 409) await this.#make(collection);
    else if (!isSuccess(found)) throw refusal("PROPFIND", found);
  }

  async #make(collection: URL): Promise<void> {
    let made = await this.#ask("MKCOL", collection);
    const parent = parentOf(collection);
    if ((made.status === 409 || made.status === 404) && parent !== undefined) {
      await this.#make(parent);
      made = await this.#ask("MKCOL", collection);
    }
    // 405: somebody else has just made it.
    if (!isSuccess(made) && made.status !== 405) throw refusal("MKCOL", made);
  }

  async #expect(method: string, url: URL, headers: Headers, content?: UploadPart): Promise<void> {
    const answer = await this.#ask(method, url, headers, content);
    if (!isSuccess(answer)) throw refusal(method, answer);
  }

  #ask(method: string, url: URL, more: Headers = {}, content?: UploadPart): Promise<UploadAnswer> {
    const request = { method, agent: this.#agent, headers: { ...this.#headers, ...more } };
    return this.#upload.exchange(content, (body, signal) =>
      sendUpload(url, body, { ...request, lengthBytes: content?.lengthBytes ?? 0, signal }).catch((error) => {
        throw connectionFailure(error, shown(url));
      }),
    );
  }
}
