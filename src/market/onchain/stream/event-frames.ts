import { z } from "zod";
import type { Address } from "../../../domain/address.ts";
import { MAX_ARTIFACTS } from "../../../domain/artifact.ts";
import type { Guid } from "../../../domain/guid.ts";
import type { Nct } from "../../../domain/nct.ts";
import type { BlockNumber } from "../port/block.ts";
import type { AssertionNotice, PostedBounty } from "../port/marketplace.ts";
import {
  amount,
  bits,
  blockNumber,
  guid,
  MAX_URI_CHARS,
  uint,
  wireAddress,
  wireArtifactKind,
  wireCount,
} from "../reads/wire.ts";

/** One message of the websocket, in our words. */
export type Heard =
  | { readonly name: "connected" }
  | { readonly name: "block"; readonly number: BlockNumber }
  | { readonly name: "bounty"; readonly notice: PostedBounty }
  | { readonly name: "assertion"; readonly notice: AssertionNotice }
  | { readonly name: "reveal"; readonly guid: Guid; readonly author: Address; readonly index: number }
  | { readonly name: "vote"; readonly guid: Guid; readonly voter: Address }
  | { readonly name: "quorum"; readonly guid: Guid }
  | { readonly name: "settled_bounty"; readonly guid: Guid; readonly settler: Address; readonly payout: Nct }
  | { readonly name: "fee_update"; readonly bountyFee: Nct; readonly assertionFee: Nct }
  | { readonly name: "window_update"; readonly revealWindow: number; readonly voteWindow: number }
  | { readonly name: "deprecated"; readonly rollover: boolean; readonly since: BlockNumber | undefined }
  | { readonly name: "undeprecated" }
  /** An offer channel: known, and none of our business. */
  | { readonly name: "initialized_channel" };

type Frame =
  | { readonly kind: "heard"; readonly heard: Heard; readonly key: string | undefined }
  | { readonly kind: "unknown"; readonly name: string }
  | { readonly kind: "invalid"; readonly name: string; readonly why: string };

const Envelope = z.object({
  event: z.string(),
  data: z.unknown(),
  block_number: blockNumber.optional(),
  txhash: z.string().optional(),
});

const READERS: Readonly<Record<Heard["name"], z.ZodType<Heard>>> = {
  connected: z.unknown().transform(() => ({ name: "connected" })),
  block: z.object({ number: blockNumber }).transform(({ number }) => ({ name: "block", number })),
  bounty: z
    .object({
      guid,
      artifact_type: wireArtifactKind,
      author: wireAddress,
      amount,
      uri: z.string().min(1).max(MAX_URI_CHARS),
      expiration: blockNumber,
    })
    .transform(({ artifact_type: kind, ...rest }) => ({
      name: "bounty",
      notice: { ...rest, kind, postedIn: undefined },
    })),
  assertion: z
    .object({
      bounty_guid: guid,
      author: wireAddress,
      index: wireCount,
      bid: z.array(amount).max(MAX_ARTIFACTS),
      mask: bits,
      commitment: uint,
    })
    .transform(({ bounty_guid, bid, ...rest }) => ({
      name: "assertion",
      notice: { ...rest, guid: bounty_guid, bids: bid },
    })),
  reveal: z
    .object({ bounty_guid: guid, author: wireAddress, index: wireCount })
    .transform(({ bounty_guid, ...rest }) => ({ name: "reveal", guid: bounty_guid, ...rest })),
  vote: z
    .object({ bounty_guid: guid, voter: wireAddress })
    .transform(({ bounty_guid, voter }) => ({ name: "vote", guid: bounty_guid, voter })),
  quorum: z
    .object({ bounty_guid: guid })
    .transform(({ bounty_guid }) => ({ name: "quorum", guid: bounty_guid })),
  settled_bounty: z
    .object({ bounty_guid: guid, settler: wireAddress, payout: amount })
    .transform(({ bounty_guid, ...rest }) => ({ name: "settled_bounty", guid: bounty_guid, ...rest })),
  fee_update: z.object({ bounty_fee: amount, assertion_fee: amount }).transform((raw) => ({
    name: "fee_update",
    bountyFee: raw.bounty_fee,
    assertionFee: raw.assertion_fee,
  })),
  window_update: z
    .object({ assertion_reveal_window: wireCount, arbiter_vote_window: wireCount })
    .transform((raw) => ({
      name: "window_update",
      revealWindow: raw.assertion_reveal_window,
      voteWindow: raw.arbiter_vote_window,
    })),
  deprecated: z
    .object({ rollover: z.boolean().default(false) })
    .transform(({ rollover }) => ({ name: "deprecated", rollover, since: undefined })),
  undeprecated: z.unknown().transform(() => ({ name: "undeprecated" })),
  initialized_channel: z.unknown().transform(() => ({ name: "initialized_channel" })),
};

/** Reads a parsed message. The key is the same for a repetition of the same contract event, and only then. */
export function readFrame(message: unknown): Frame {
  const envelope = Envelope.safeParse(message);
  if (!envelope.success) return { kind: "invalid", name: "(no event)", why: reasonOf(envelope.error) };
  const { event, data, block_number: postedIn, txhash } = envelope.data;
  if (!Object.hasOwn(READERS, event)) return { kind: "unknown", name: event.slice(0, 100) };
  const result = READERS[event as Heard["name"]].safeParse(data);
  if (!result.success) return { kind: "invalid", name: event, why: reasonOf(result.error) };
  const heard = inBlock(result.data, postedIn);
  return { kind: "heard", heard, key: txhash && keyOf(txhash, heard) };
}

/** The block is beside the data, and some events say nothing without it. */
function inBlock(heard: Heard, block: BlockNumber | undefined): Heard {
  if (heard.name === "bounty") return { ...heard, notice: { ...heard.notice, postedIn: block } };
  return heard.name === "deprecated" ? { ...heard, since: block } : heard;
}

function keyOf(txhash: string, heard: Heard): string {
  const subject = "notice" in heard ? heard.notice : heard;
  const id = "guid" in subject ? subject.guid : "";
  const index = "index" in subject ? subject.index : "";
  return `${heard.name} ${txhash.replace(/^0x/i, "").toLowerCase()} ${id} ${index}`;
}

function reasonOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join(".") || "it"}: ${issue?.message ?? "invalid"}`;
}
