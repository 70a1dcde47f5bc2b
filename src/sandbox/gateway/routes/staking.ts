import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { Digits, readBody } from "../shared/body.ts";
import { readCaller } from "../shared/caller.ts";
import type { GatewayContext } from "../shared/context.ts";
import { Failure, ok } from "../shared/envelope.ts";
import { readCount, readUint } from "../shared/registry.ts";
import { buildTransactions } from "../shared/unsigned.ts";

const StakeBody = z.object({ amount: Digits });

export function stakingRoutes(app: FastifyInstance, gateway: GatewayContext): void {
  const { chain } = gateway;
  const { token, staking } = chain.contracts;

  app.get("/staking/parameters", async (request) => {
    readCaller(request);
    const [minimum, maximum, numerator, denominator] = await Promise.all([
      readUint(chain, staking, "MINIMUM_STAKE"),
      readUint(chain, staking, "MAXIMUM_STAKE"),
      readCount(chain, staking, "VOTE_RATIO_NUMERATOR"),
      readCount(chain, staking, "VOTE_RATIO_DENOMINATOR"),
    ]);
    return ok({
      minimum_stake: minimum,
      maximum_stake: maximum,
      vote_ratio_numerator: numerator,
      vote_ratio_denominator: denominator,
    });
  });

  app.post("/staking/deposit", async (request) => {
    const caller = readCaller(request);
    const amount = BigInt(readBody(StakeBody, request.body).amount);
    const staked = await readUint(chain, staking, "balanceOf", [caller.account]);
    // The contract would allow equality; the gateway does not.
    if (amount + staked >= (await readUint(chain, staking, "MAXIMUM_STAKE"))) {
      throw new Failure(400, "Total stake above allowable maximum.");
    }
    return ok({
      transactions: await buildTransactions(gateway, caller, [
        { contract: token, fn: "approve", args: [staking.address, amount] },
        { contract: staking, fn: "deposit", args: [amount] },
      ]),
    });
  });

  app.post("/staking/withdraw", async (request) => {
    const caller = readCaller(request);
    const amount = BigInt(readBody(StakeBody, request.body).amount);
    const available = await readUint(chain, staking, "withdrawableBalanceOf", [caller.account]);
    if (amount > available) throw new Failure(400, `Exceeds withdrawal eligible ${available}`);
    const withdraw = { contract: staking, fn: "withdraw", args: [amount] };
    return ok({ transactions: await buildTransactions(gateway, caller, [withdraw]) });
  });
}
