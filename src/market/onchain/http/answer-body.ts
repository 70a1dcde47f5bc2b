import type { Dispatcher } from "undici";
import { ContentCodingError, decodedBody } from "../../../http/content-coding.ts";
import { MarketFault } from "./answer.ts";
import type { AnswerLimits } from "./limits.ts";
import { JsonSieve } from "./sieve.ts";

type Answer = Pick<Dispatcher.ResponseData, "headers" | "body">;

interface BodyText {
  readonly text: string;
  /** Keys whose value was larger than it may be, and was left out. */
  readonly leftOut: ReadonlySet<string>;
}

const NOTHING: ReadonlySet<string> = new Set();

/**
 * The answer as text, decoded and without what the limits leave out. Throws MarketFault MARKET_ANSWER_TOO_LARGE beyond them,
 * MARKET_ANSWER_UNREADABLE for what cannot be decoded.
 */
export async function readBodyText(what: string, answer: Answer, limits: AnswerLimits): Promise<BodyText> {
  const { allowances, streamedBytes = limits.bytes } = limits;
  if (allowances !== undefined) {
    const sieve = new JsonSieve({ allowances, keptBytes: limits.bytes });
    let streamed = 0;
    // Leaving the loop early destroys the stream and with it the connection.
    for await (const chunk of unpacked(what, answer, { maxBytes: streamedBytes, end: "whole" })) {
      streamed += chunk.length;
      if (!sieve.push(chunk)) throw tooLarge(what, limits.bytes);
      if (streamed > streamedBytes) throw tooLarge(what, streamedBytes);
    }
    return { text: sieve.end().toString("utf8"), leftOut: sieve.leftOut };
  }
  const bytes = await readStart(what, answer, { bytes: limits.bytes + 1, end: "whole" });
  if (bytes.length > limits.bytes) throw tooLarge(what, limits.bytes);
  return { text: Buffer.from(bytes).toString("utf8"), leftOut: NOTHING };
}

function tooLarge(what: string, bytes: number): MarketFault {
  const sentence = `The answer about ${what} is larger than ${bytes} bytes.`;
  return new MarketFault("MARKET_ANSWER_TOO_LARGE", sentence, { reached: "yes", retryable: false });
}

/**
 * The first `bytes` of an answer, decoded, or all of it when it is shorter. `end` says whether it may have been cut before
 * it was decoded, as by a range. Throws MarketFault MARKET_ANSWER_UNREADABLE for what cannot be decoded.
 */
export async function readStart(
  what: string,
  answer: Answer,
  { bytes, end }: { readonly bytes: number; readonly end: "whole" | "may-be-cut" },
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop early destroys the stream and with it the connection.
  for await (const chunk of unpacked(what, answer, { maxBytes: bytes, end })) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= bytes) break;
  }
  return Buffer.concat(chunks).subarray(0, bytes);
}

async function* unpacked(
  what: string,
  answer: Answer,
  how: Parameters<typeof decodedBody>[1],
): AsyncGenerator<Buffer> {
  try {
    yield* decodedBody(answer, how);
  } catch (error) {
    if (!(error instanceof ContentCodingError)) throw error;
    throw new MarketFault(
      "MARKET_ANSWER_UNREADABLE",
      `The answer about ${what} cannot be unpacked: ${error.message}.`,
      {
        reached: "yes",
        retryable: true,
        cause: error,
      },
    );
  }
}
