// For plugins that upload files: what is the same whatever the server. A file in parts that are read from the disk while
// they are sent, progress in bytes, the run's limit on the rate, silence, and whether the file is still what it was.

export { uploadBody, uploadChunks } from "../uploading/body.ts";
export { connectionFailure } from "../uploading/connection-failure.ts";
export { UploadConnections } from "../uploading/connections.ts";
export type { Digest, UploadPart } from "../uploading/parts.ts";
export { sendUpload, type UploadAnswer, type UploadRequest } from "../uploading/request.ts";
export { openUpload, type Upload, type UploadOptions } from "../uploading/upload.ts";
export type { TlsFiles } from "./tls-files.ts";
