import type { FastifyInstance } from "fastify";
import { isAddress } from "../../../domain/address.ts";
import { requireSideChain } from "../shared/caller.ts";
import type { GatewayContext } from "../shared/context.ts";
import { Failure, ok } from "../shared/envelope.ts";
import { Quantity } from "../shared/quantity.ts";
import { readUint } from "../shared/registry.ts";
import { textParameter } from "../shared/routes.ts";

/** `/balances/<address>/…`: decimal strings, in base units. */
export function balanceRoutes(app: FastifyInstance, { chain, log }: GatewayContext): void {
  const { token, staking } = chain.contracts;
  const balances: Readonly<Record<string, (address: string) => Promise<bigint>>> = {
    nct: (address) => readUint(chain, token, "balanceOf", [address]),
    eth: async (address) => Quantity.parse(await chain.rpc("eth_getBalance", [address, "latest"])),
    "staking/total": (address) => readUint(chain, staking, "balanceOf", [address]),
    "staking/withdrawable": (address) => readUint(chain, staking, "withdrawableBalanceOf", [address]),
  };

  for (const [kind, read] of Object.entries(balances)) {
    app.get(`/balances/:address/${kind}`, async (request) => {
      requireSideChain(request);
      const address = textParameter(request, "address");
      if (!isAddress(address)) throw new Failure(400, "Invalid address");
      try {
        return ok((await read(address)).toString());
      } catch (cause) {
        log.debug({ err: cause, address, kind }, "gateway.balance.failed");
        throw new Failure(500, "Could not retrieve balance");
      }
    });
  }
}
