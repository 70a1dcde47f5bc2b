import type { Dispatcher } from "undici";
import { MarketFault } from "./answer.ts";
import type { AnswerLimits } from "./bounded/limits.ts";
import { JsonSieve } from "./bounded/sieve.ts";

type Body = Dispatcher.ResponseData["body"];

export interface BodyText {
  readonly text: string;
  /** Keys whose value was larger than it may be, and was left out. */
  readonly leftOut: ReadonlySet<string>;
}

const NOTHING: ReadonlySet<string> = new Set();

/** The answer as text, without what the limits leave out. Throws MarketFault MARKET_ANSWER_TOO_LARGE beyond them. */
export async function readText(what: string, body: Body, limits: AnswerLimits): Promise<BodyText> {
  const { allowances, streamedBytes = limits.bytes } = limits;
  if (allowances !== undefined) {
    const sieve = new JsonSieve({ allowances, keptBytes: limits.bytes });
    let streamed = 0;
    // Leaving the loop early destroys the stream and with it the connection.
    for await (const chunk of body as AsyncIterable<Buffer>) {
      streamed += chunk.length;
      if (!sieve.push(chunk)) throw tooLarge(what, limits.bytes);
      if (streamed > streamedBytes) throw tooLarge(what, streamedBytes);
    }
    return { text: sieve.end().toString("utf8"), leftOut: sieve.leftOut };
  }
  const bytes = await readStart(body, limits.bytes + 1);
  if (bytes.length > limits.bytes) throw tooLarge(what, limits.bytes);
  return { text: Buffer.from(bytes).toString("utf8"), leftOut: NOTHING };
}

function tooLarge(what: string, bytes: number): MarketFault {
  const sentence = `The answer about ${what} is larger than ${bytes} bytes.`;
  return new MarketFault("MARKET_ANSWER_TOO_LARGE", sentence, { reached: "yes", retryable: false });
}

/** The first `bytes` of an answer, or all of it when it is shorter. */
export async function readStart(body: Body, bytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop early destroys the stream and with it the connection.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= bytes) break;
  }
  return Buffer.concat(chunks).subarray(0, bytes);
}
