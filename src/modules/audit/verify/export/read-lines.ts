const NEWLINE = 0x0a;
/** An event has at most 64 KiB, and what is shown of it no more. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** The lines of a file with their ends, as bytes; only `\n` ends one. @throws Error for a line of more than 4 MiB */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    let bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : Buffer.from(chunk);
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
      yield bytes.subarray(0, end + 1);
      bytes = bytes.subarray(end + 1);
    }
    rest = bytes;
    if (rest.length > MAX_LINE_BYTES) throw new Error('A line is too long');
  }
  if (rest.length > 0) yield rest;
}
