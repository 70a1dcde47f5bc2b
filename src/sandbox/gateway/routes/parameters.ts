import type { FastifyInstance } from "fastify";
import type { Chain } from "../../chain/chain.ts";
import { readCaller } from "../shared/caller.ts";
import type { GatewayContext } from "../shared/context.ts";
import { ok } from "../shared/envelope.ts";
import { readCount, readUint } from "../shared/registry.ts";

/** `GET /bounties/parameters`: amounts per artifact in base units, windows in blocks, all bare integers. */
export function parameterRoutes(app: FastifyInstance, { chain }: GatewayContext): void {
  app.get("/bounties/parameters", async (request) => {
    readCaller(request);
    return ok(await readParameters(chain));
  });
}

async function readParameters(chain: Chain): Promise<object> {
  const amount = (fn: string) => readUint(chain, chain.contracts.registry, fn);
  const count = (fn: string) => readCount(chain, chain.contracts.registry, fn);
  const [bountyFee, assertionFee, amountMinimum, bidMaximum, bidMinimum, lookback, duration, reveal, vote] =
    await Promise.all([
      amount("bountyFee"),
      amount("assertionFee"),
      amount("BOUNTY_AMOUNT_MINIMUM"),
      amount("ASSERTION_BID_ARTIFACT_MAXIMUM"),
      amount("ASSERTION_BID_ARTIFACT_MINIMUM"),
      count("ARBITER_LOOKBACK_RANGE"),
      count("MAX_DURATION"),
      count("assertionRevealWindow"),
      count("arbiterVoteWindow"),
    ]);
  return {
    bounty_fee: bountyFee,
    assertion_fee: assertionFee,
    bounty_amount_minimum: amountMinimum,
    assertion_bid_maximum: bidMaximum,
    assertion_bid_minimum: bidMinimum,
    arbiter_lookback_range: lookback,
    max_duration: duration,
    assertion_reveal_window: reveal,
    arbiter_vote_window: vote,
  };
}
