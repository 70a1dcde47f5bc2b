/**
 * Bodies as they were before a server or a proxy compressed them. Decoded as a stream, off the event loop: the reader counts
 * what comes out and stops at its limit, which ends the decoder and the connection, so a bomb unpacks no further than that.
 */
import { pipeline, type Transform } from "node:stream";
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from "node:zlib";

/** What requests accept. */
export const ACCEPTED_CODINGS = "gzip, deflate, br, zstd";

/** A body that cannot be decoded. `message` is a clause for people. */
export class ContentCodingError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ContentCodingError";
  }
}

interface Encoded {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Body;
}

/** A stream of bytes; destroying it leaves the connection. */
type Body = AsyncIterable<Buffer> & { on(event: "error", listener: () => void): { destroy(): unknown } };

/** Of what a reader wants at most, encoded: compression makes nothing much larger, so more is no honest answer. */
const overhead = (bytes: number): number => bytes + Math.ceil(bytes / 100) + 65_536;

/**
 * The body of an answer, decoded. The reader holds its own limit of `maxBytes` on what comes out. `end` says whether an end in the
 * middle, as after a range, is an error. Throws ContentCodingError for a coding that was not asked for or bytes that
 * are none of it, and what reading the body throws.
 */
export function decodedBody({ headers, body }: Encoded, { maxBytes, end }: Limits): AsyncIterable<Buffer> {
  const codings = codingsOf(headers["content-encoding"]);
  return codings.length === 0 ? body : decodeAll(body, codings, { maxBytes, end });
}

/** A server and each proxy may compress. */
const MOST_CODINGS = 3;

/** Of a body, in lower case, in the order in which they were applied. Throws ContentCodingError when they are too many. */
export function codingsOf(header: Encoded["headers"][string]): readonly string[] {
  const codings = [header ?? []]
    .flat()
    .flatMap((text) => text.toLowerCase().split(","))
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
  if (codings.length > MOST_CODINGS)
    throw new ContentCodingError(`it is compressed more than ${MOST_CODINGS} times`);
  return codings;
}

interface Limits {
  readonly maxBytes: number;
  readonly end: "whole" | "may-be-cut";
}

async function* decodeAll(body: Body, codings: readonly string[], limits: Limits): AsyncGenerator<Buffer> {
  let chunks: AsyncIterable<Buffer> = body;
  for (const coding of codings.toReversed()) chunks = decode(chunks, coding, limits);
  try {
    yield* chunks;
  } finally {
    // Not the iterator's `return`, which would wait for bytes that may never come.
    body.on("error", () => {}).destroy();
  }
}

async function* decode(
  body: AsyncIterable<Buffer>,
  coding: string,
  { maxBytes, end }: Limits,
): AsyncGenerator<Buffer> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    const first = await chunks.next();
    if (first.done === true) return;
    const decoder = decoderFor(coding, first.value, end);
    let encoded = 0;
    async function* source(): AsyncGenerator<Buffer> {
      for (let next = first; next.done !== true; next = await chunks.next()) {
        encoded += next.value.length;
        if (encoded > overhead(maxBytes)) throw new ContentCodingError("it is larger packed than unpacked");
        yield next.value;
      }
    }
    // The decoder carries every error on to its reader, and ends the source with itself.
    yield* pipeline(source, decoder, () => {}) as AsyncIterable<Buffer>;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || !/^(?:Z_|ERR_(?:_ERROR|BROTLI|ZSTD|PADDING)|ZSTD_|BROTLI_)/.test(code))
      throw error;
    throw new ContentCodingError(`it is not the ${coding} that it is said to be (${code})`, { cause: error });
  }
}

function decoderFor(coding: string, first: Buffer, end: "whole" | "may-be-cut"): Transform {
  const cut = end === "may-be-cut";
  const zlib = cut ? { finishFlush: constants.Z_SYNC_FLUSH } : {};
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return createGunzip(zlib);
    case "deflate":
      // The standard wants a header of zlib; many servers leave it out.
      return ((first[0] ?? 0) & 0x0f) === 8 ? createInflate(zlib) : createInflateRaw(zlib);
    case "br":
      return createBrotliDecompress(cut ? { finishFlush: constants.BROTLI_OPERATION_FLUSH } : {});
    case "zstd":
      return createZstdDecompress(cut ? { finishFlush: constants.ZSTD_e_flush } : {});
    default:
      throw new ContentCodingError(
        `it is encoded as ${JSON.stringify(coding.slice(0, 40))}, which was not asked for`,
      );
  }
}
