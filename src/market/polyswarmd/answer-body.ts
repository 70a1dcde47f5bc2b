import type { Dispatcher } from "undici";
import { MarketFault } from "./answer.ts";

type Body = Dispatcher.ResponseData["body"];

const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;

/** The whole answer as text. Throws MarketFault MARKET_ANSWER_TOO_LARGE beyond `maxBytes`. */
export async function readText(what: string, body: Body, maxBytes = DEFAULT_MAX_BYTES): Promise<string> {
  const bytes = await readStart(body, maxBytes + 1);
  if (bytes.length > maxBytes) {
    const sentence = `The answer about ${what} is larger than ${maxBytes} bytes.`;
    throw new MarketFault("MARKET_ANSWER_TOO_LARGE", sentence, { reached: "yes", retryable: false });
  }
  return Buffer.from(bytes).toString("utf8");
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
