// What is used of the SDK, imported only when a file is to be uploaded: it takes a quarter of a second and much memory.

export { AnonymousCredential, BlockBlobClient } from "@azure/storage-blob";
