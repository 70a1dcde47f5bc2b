import { expect, it } from "vitest";
import { parseAddress } from "../../src/domain/address.ts";
import { uintToGuid } from "../../src/domain/guid.ts";
import type { UnsignedTransaction } from "../../src/wallet/transaction.ts";
import { ModelChain } from "../slow/model-chain.ts";
import { ModelGateway } from "../slow/model-gateway.ts";
import { joinModelMarket } from "../slow/model-market.ts";
import { ModelTime } from "../slow/model-time.ts";

const account = parseAddress("0x63046FD3FBCe76196914C3021B30c09CEB2f4F03");
const guid = uintToGuid(7n);
const unsigned = {} as UnsignedTransaction;

it.each([1_000, 5_000, 15_000])(
  "with blocks of %i ms, what was mined just now and has no receipt yet is not taken for what can never be mined",
  async (blockMs) => {
    const time = new ModelTime();
    const chain = new ModelChain({ revealWindow: 10, voteWindow: 20 });
    const random = () => 0.5;
    const weather = { latencyMs: () => 40, loss: () => "none" as const, hides: () => false };
    const gateway = new ModelGateway({ chain, time, weather, account, random, onSubmit: () => {} });
    const market = joinModelMarket({ chain, gateway, time, account, blockMs, random });
    const action = { kind: "reveal", guid, index: 0, nonce: 5n, verdicts: 1n, metadata: "" } as const;
    const signed = chain.sign(action, [unsigned], 0n);
    expect(chain.submit(signed[0]!.raw)).toBeUndefined();
    const onBlock = (): void => {
      chain.mine();
      time.after(blockMs, onBlock);
    };
    onBlock();
    const resent = market.resend(signed, undefined, "reveal");
    await time.passUntil(4 * blockMs);
    await expect(resent).resolves.toEqual({ kind: "sent" });
  },
);
