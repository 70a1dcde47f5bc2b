/** What became of an assertion that was signed and that the market does not list. */
import { transactionOf } from "../../port/journal.ts";
import { type DutyContext, findOurs } from "../record/duty-context.ts";

type SignedFate =
  | { readonly kind: "there"; readonly index: number }
  /** What was signed can never be mined, or failed for a reason that passes. */
  | { readonly kind: "anew"; readonly reason: string }
  /** It failed for a reason that stays. */
  | { readonly kind: "never"; readonly reason: string }
  /** The contract holds an assertion of ours: this one, or another that was made before. */
  | { readonly kind: "taken"; readonly reason: string }
  | { readonly kind: "open"; readonly reason: string };

/** Hands over again what was signed last, and asks what became of all that was signed. */
export async function fateOfSigned({ market, ledger, key, signal }: DutyContext): Promise<SignedFate> {
  const signed = ledger.lastEntries(key, "assert").map(transactionOf);
  const resent = signed.length === 0 ? undefined : await market.resend(signed, signal, "assertion");
  if (resent?.kind === "void") return { kind: "anew", reason: resent.reason };
  const fate = await market.lookUp(ledger.references(key, "assert"), signal);
  if (fate.kind === "done") {
    const { index } = fate.value;
    if (index !== undefined) return { kind: "there", index };
    return { kind: "open", reason: "mined, but the marketplace does not list it yet" };
  }
  if (fate.kind === "unknown") return { kind: "open", reason: fate.reason };
  // The contract takes one of ours: what it refused for this reason proves that another is there.
  if (fate.refusal === "already-asserted") return { kind: "taken", reason: fate.reason };
  return { kind: fate.retryable ? "anew" : "never", reason: fate.reason };
}

/**
 * Why nothing was staked after all, of an assertion that the ledger has as posted and that was never revealed; undefined
 * unless that is certain. A receipt can be made up: then the market lists nothing of ours, and the bytes that were said
 * to be mined revert, because it is too late for them, or can never be mined. To be asked after the reveal window only.
 */
export async function whyNeverPosted(context: DutyContext): Promise<string | undefined> {
  try {
    if ((await findOurs(context)) !== undefined) return undefined;
    const fate = await fateOfSigned(context);
    return fate.kind === "anew" || fate.kind === "never" ? fate.reason : undefined;
  } catch {
    return undefined;
  }
}

/** Ends a bounty on which no stake was placed after all. */
export function giveUp(
  { ledger, reservations, tell, key }: DutyContext,
  why: "too-late" | "post-failed" | "deprecated" | "asserted-before",
  detail?: string,
): undefined {
  ledger.abandon(key, why);
  reservations.release(key.guid);
  tell("bounty.abandoned", { guid: key.guid, why, ...(detail === undefined ? {} : { detail }) });
}
