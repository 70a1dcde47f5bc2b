import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { describeError } from "../domain/fault.ts";

export type FileContent =
  | { readonly kind: "content"; readonly bytes: Uint8Array; readonly sha256: string }
  /** `sizeBytes` as the file system says it. */
  | { readonly kind: "too-large"; readonly sizeBytes: number }
  | { readonly kind: "unreadable"; readonly why: string };

const CHUNK_BYTES = 64 * 1024;

/** Reads a file of at most so many bytes; never more, also of one that grows meanwhile. Never throws. */
export async function readFileWithin(path: Buffer, maxSizeBytes: number): Promise<FileContent> {
  try {
    // Without it, opening a pipe would wait for somebody to write.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const seen = await file.stat();
    if (!seen.isFile()) return { kind: "unreadable", why: "It is no file." };
    if (seen.size > maxSizeBytes) return { kind: "too-large", sizeBytes: seen.size };
    const bytes = await readUpTo(file, seen.size, maxSizeBytes + 1);
    if (bytes.length > maxSizeBytes) return { kind: "too-large", sizeBytes: bytes.length };
    return { kind: "content", bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
  } catch (error) {
    return { kind: "unreadable", why: describeError(error) };
  }
}

async function readUpTo(file: FileHandle, expected: number, most: number): Promise<Buffer> {
  // Some files (those of /proc) have more in them than their size says.
  let buffer = Buffer.allocUnsafe(Math.min(most, expected + CHUNK_BYTES));
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    length += bytesRead;
    if (bytesRead === 0 || length === most) return buffer.subarray(0, length);
    if (length === buffer.length)
      buffer = Buffer.concat([buffer], Math.min(most, buffer.length + 16 * CHUNK_BYTES));
  }
}
