/** The members of a tar, by its headers. Source: POSIX ustar; GNU's and pax's extensions are members like others here. */

const BLOCK_BYTES = 512;

/** Whether it begins with the header of a tar; those from before POSIX have nothing but the sum to tell. */
export function isTar(content: Uint8Array): boolean {
  const header = Buffer.from(content.buffer, content.byteOffset, Math.min(BLOCK_BYTES, content.length));
  if (header.length < BLOCK_BYTES) return false;
  if (header.toString("latin1", 257, 262) === "ustar") return true;
  return /^[ 0]*[0-7]{2,6}[\0 ]*$/.test(header.toString("latin1", 148, 156)) && isSummed(header);
}

/** The content of each member, or why the walk ends early. */
export function* tarMembers(content: Uint8Array): Generator<Uint8Array | "truncated" | "damaged"> {
  const view = Buffer.from(content.buffer, content.byteOffset, content.length);
  for (let at = 0; at + BLOCK_BYTES <= view.length; ) {
    const header = view.subarray(at, at + BLOCK_BYTES);
    if (header.every((byte) => byte === 0)) return;
    const sizeBytes = sizeIn(header);
    if (sizeBytes === undefined || !isSummed(header)) return yield "damaged";
    const start = at + BLOCK_BYTES;
    if (start + sizeBytes > view.length) return yield "truncated";
    yield view.subarray(start, start + sizeBytes);
    at = start + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
}

/** Octal digits; from 8 GiB on a binary number, which no artifact holds. */
function sizeIn(header: Buffer): number | undefined {
  const digits = header
    .toString("latin1", 124, 136)
    .replace(/[\0 ]+$/, "")
    .trim();
  return /^[0-7]{0,11}$/.test(digits) ? Number.parseInt(digits || "0", 8) : undefined;
}

/** The sum of all bytes with the sum itself as blanks. */
function isSummed(header: Buffer): boolean {
  const declared = Number.parseInt(header.toString("latin1", 148, 156).trim(), 8);
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  return declared === sum;
}
