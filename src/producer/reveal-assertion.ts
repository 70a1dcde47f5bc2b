import { stringifyJson } from "../domain/json.ts";
import { formatNct } from "../domain/nct.ts";
import { inTimeToReveal } from "./duty.ts";
import { type DutyResult, type Errand, findOurs } from "./errand.ts";

/** A reveal's metadata may have at most this many characters when it is given inline. */
const MAX_INLINE_METADATA = 1_024;
/** What a window of a few blocks leaves for one more attempt to store the metadata. */
const LAST_UPLOAD_MS = 1_000;

/** Stores the metadata before the short reveal window opens. */
export async function publishMetadata(errand: Errand): Promise<DutyResult> {
  const { market, ledger, key, assertion, signal } = errand;
  ledger.recordMetadataUri(key, await market.publishMetadata(assertion.metadata, signal));
  return undefined;
}

/** `seenAt` is where the market shows our assertion, which after a reorganisation may not be where it was posted. */
export async function revealAssertion(errand: Errand, seenAt?: number): Promise<DutyResult> {
  const { market, ledger, key, record, assertion } = errand;
  const index = seenAt ?? assertion.index ?? (await findOurs(errand))?.index;
  if (index === undefined) return "our assertion is not listed on the marketplace";
  const { nonce, verdicts } = assertion;
  const { artifactCount } = record.bounty;
  const metadata = await metadataFor(errand);
  const outcome = await market.reveal(
    { guid: key.guid, index, nonce, verdicts, artifactCount, metadata },
    (signed) => ledger.recordSigned(key, "reveal", signed),
  );
  if (outcome.kind !== "done") return outcome.reason;
  revealed(errand, index);
  return undefined;
}

/**
 * A reveal was sent, fate unknown: look, and send again while the window is open, also when there is nothing to see: the
 * contract takes one reveal, and without one every bid is lost.
 */
export async function confirmReveal(errand: Errand): Promise<DutyResult> {
  const { market, record } = errand;
  const inTime = (): boolean =>
    inTimeToReveal(record.bounty.expiration, market.parameters().revealWindow, market.head());
  const ours = await findOurs(errand).catch((error: unknown) => {
    if (!inTime()) throw error;
  });
  if (ours?.revealed) {
    revealed(errand, ours.index);
    return undefined;
  }
  if (inTime()) return revealAssertion(errand, ours?.index);
  missReveal(errand);
  return undefined;
}

/** The window closed on us. What can still be had is settled all the same. */
export function missReveal({ ledger, tell, key, assertion }: Errand): void {
  ledger.recordRevealMissed(key);
  tell("assertion.reveal-missed", { guid: key.guid, stake: formatNct(assertion.stake) });
}

/** The published URI; failing that whatever fits, because an assertion that is not revealed loses every bid. */
async function metadataFor(errand: Errand): Promise<string> {
  const { ledger, key, assertion } = errand;
  if (assertion.metadataUri !== null) return assertion.metadataUri;
  try {
    await publishMetadata({ ...errand, signal: AbortSignal.timeout(LAST_UPLOAD_MS) });
    return ledger.assertion(key)?.metadataUri ?? "";
  } catch {
    const inline = stringifyJson(assertion.metadata);
    return inline.length <= MAX_INLINE_METADATA ? inline : "";
  }
}

function revealed({ ledger, tell, key }: Errand, index: number): void {
  ledger.recordRevealed(key);
  tell("assertion.revealed", { guid: key.guid, index });
}
