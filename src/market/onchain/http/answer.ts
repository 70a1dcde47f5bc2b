import { Fault } from "../../../domain/fault.ts";
import { type JsonBounds, JsonBoundsError, parseJson } from "../../../json/json.ts";

/**
 * What a gateway's answers mean. Its own views answer `{status, result}` or `{status, errors}`, its framework
 * `{message}`, and a proxy in front of it whatever it likes.
 */

/** Whether a request that failed may have had its effect. */
type Reached = "no" | "maybe" | "yes";

/** A request to the marketplace that did not give what it should. */
export class MarketFault extends Fault {
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  readonly reached: Reached;
  /** Every message of the answer, whatever shape it came in. */
  readonly messages: readonly string[];
  /** The `errors` of the answer as they came. */
  readonly errors: unknown;

  constructor(
    code: string,
    sentence: string,
    facts: {
      readonly status?: number;
      readonly reached: Reached;
      readonly retryable: boolean;
      readonly messages?: readonly string[];
      readonly errors?: unknown;
      readonly cause?: unknown;
      readonly hint?: string;
    },
  ) {
    super(code, sentence, facts);
    this.name = "MarketFault";
    this.status = facts.status;
    this.reached = facts.reached;
    this.messages = facts.messages ?? [];
    this.errors = facts.errors;
  }
}

/** The `result` of a good answer; undefined when it has none. Throws MarketFault for anything else. */
export function readResult(what: string, status: number, text: string, bounds?: JsonBounds): unknown {
  const body = tryJson(text, bounds);
  if (body instanceof JsonBoundsError && status >= 200 && status < 300) {
    const sentence = `The answer about ${what} is more than is read: ${body.message}.`;
    throw new MarketFault("MARKET_ANSWER_TOO_LARGE", sentence, { status, reached: "yes", retryable: false });
  }
  const fields = isObject(body) ? body : {};
  if (status >= 200 && status < 300 && fields.status === "OK") return fields.result;
  if (status >= 200 && status < 300 && fields.status !== "FAIL") {
    throw new MarketFault(
      "MARKET_ANSWER_UNREADABLE",
      `The answer about ${what} is not what a polyswarmd says.`,
      {
        status,
        reached: "yes",
        retryable: true,
        hint: "Is --polyswarmd-addr the address of a polyswarmd, with its path?",
      },
    );
  }
  const messages = messagesOf(fields.errors ?? fields.message);
  throw refusal(what, status, messages, fields.errors);
}

/**
 * An answer that points elsewhere: `target` is where, and `base` the address it makes of ours, both for people. It is never
 * followed: the key would go along.
 */
export const redirectFault = (
  what: string,
  {
    status,
    target,
    base,
  }: { readonly status: number; readonly target: string; readonly base: string | undefined },
): MarketFault =>
  new MarketFault(
    "MARKET_REDIRECTED",
    `The marketplace points to ${target} for ${what} (HTTP ${status}), and redirects are not followed.`,
    { status, reached: "yes", retryable: false, messages: [target, base ?? []].flat() },
  );

function refusal(what: string, status: number, messages: readonly string[], errors: unknown): MarketFault {
  const said =
    messages.length === 0 ? `HTTP ${status}` : `HTTP ${status}: ${messages.join("; ").slice(0, 500)}`;
  const facts = { status, messages, errors };
  if (status === 401 || status === 403) {
    const hint = "Check --api-key.";
    const sentence = `The marketplace does not authorize us (${what}: ${said}).`;
    return new MarketFault("MARKET_UNAUTHORIZED", sentence, {
      ...facts,
      reached: "yes",
      retryable: false,
      hint,
    });
  }
  if (status === 404 || (status >= 500 && messages.some(isMissingArtifact))) {
    const sentence = `The marketplace does not find ${what} (${said}).`;
    return new MarketFault("MARKET_NOT_FOUND", sentence, { ...facts, reached: "yes", retryable: false });
  }
  if (status >= 500) {
    const sentence = `The marketplace failed at ${what} (${said}).`;
    return new MarketFault("MARKET_FAILED", sentence, { ...facts, reached: "maybe", retryable: true });
  }
  const sentence = `The marketplace refused ${what} (${said}).`;
  return new MarketFault("MARKET_REFUSED", sentence, { ...facts, reached: "yes", retryable: false });
}

/** What the gateway says, after a second, of content that its artifact service does not have, or not yet. */
const isMissingArtifact = (message: string): boolean => /timeout running ls/i.test(message);

/** `errors` comes as a string, as a list of strings or `{message}`, or as an object with such a list inside. */
function messagesOf(errors: unknown): string[] {
  if (typeof errors === "string") return [errors];
  if (Array.isArray(errors)) return errors.flatMap(messagesOf);
  if (!isObject(errors)) return [];
  return messagesOf(errors.message ?? errors.errors);
}

function tryJson(text: string, bounds: JsonBounds | undefined): unknown {
  try {
    return parseJson(text, bounds);
  } catch (error) {
    return error instanceof JsonBoundsError ? error : undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The contract answers for a GUID that was never posted with an empty URI, which the gateway takes for an invalid one. */
export const isUnknownBounty = (error: unknown): boolean =>
  error instanceof MarketFault &&
  (error.status === 404 ||
    (error.status === 400 && error.messages.some((text) => /Invalid IPFS URI/i.test(text))));
