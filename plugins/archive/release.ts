/**
 * Gives the memory of a chunk back that has it for itself. The collector of garbage, which counts small objects, lets
 * such memory pile up to 80 MB otherwise. Nobody may read the chunk after this.
 */
export function release(chunk: Buffer): void {
  if (chunk.byteOffset === 0 && chunk.length === chunk.buffer.byteLength) (chunk.buffer as ArrayBuffer).transfer(0);
}
