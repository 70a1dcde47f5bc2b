import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { describeError } from "../domain/fault.ts";

type FileContent =
  | { readonly kind: "content"; readonly bytes: Uint8Array; readonly sha256: string }
  /** `sizeBytes` as the file system says it. */
  | { readonly kind: "too-large"; readonly sizeBytes: number }
  | { readonly kind: "unreadable"; readonly why: string };

const CHUNK_BYTES = 64 * 1024;

/** Reads a stream to its end, or until it is too large; what is too large is not read on. Never throws. */
export async function readStreamWithin(
  stream: AsyncIterable<Uint8Array>,
  maxSizeBytes: number,
): Promise<FileContent> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const part of stream) {
      sizeBytes += part.length;
      if (sizeBytes > maxSizeBytes) return { kind: "too-large", sizeBytes };
      parts.push(part);
    }
  } catch (error) {
    return { kind: "unreadable", why: describeError(error) };
  }
  return contentOf(Buffer.concat(parts));
}

const contentOf = (bytes: Uint8Array): FileContent => ({
  kind: "content",
  bytes,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});

/** Reads a file of at most so many bytes; never more, also of one that grows meanwhile. Never throws. */
export async function readFileWithin(path: Buffer, maxSizeBytes: number): Promise<FileContent> {
  try {
    // Without it, opening a pipe would wait for a writer.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const seen = await file.stat();
    if (!seen.isFile()) return { kind: "unreadable", why: "It is no file." };
    if (seen.size > maxSizeBytes) return { kind: "too-large", sizeBytes: seen.size };
    const bytes = await readUpTo(file, seen.size, maxSizeBytes + 1);
    if (bytes.length > maxSizeBytes) return { kind: "too-large", sizeBytes: bytes.length };
    return contentOf(bytes);
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
