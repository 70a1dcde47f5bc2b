import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Nct } from "../../src/domain/nct.ts";
import { startAnvil } from "../../src/sandbox/chain/anvil.ts";
import { type Chain, startChain } from "../../src/sandbox/chain/chain.ts";
import { openRpc } from "../../src/sandbox/chain/rpc.ts";
import { paced } from "../fixtures/busy-machine.ts";
import { postArgs } from "../fixtures/contracts/market.ts";
import { quiet } from "../fixtures/contracts/street.ts";

const ANVIL = { chainId: 5, blockTimeMs: 1000, accounts: 1, port: 0 };

describe("the sandbox's chain", () => {
  let chain: Chain;
  beforeAll(async () => {
    const size = { revealWindow: 3, voteWindow: 4, arbiters: 2, rivals: 4 };
    chain = await startChain({ ...size, blockTimeMs: paced(100), log: quiet });
  });
  afterAll(() => chain[Symbol.asyncDispose]());

  const read = async (contract: keyof Chain["contracts"], fn: string, args: readonly unknown[] = []) =>
    (await chain.call(chain.contracts[contract], fn, args))[0];

  it("comes with the market deployed, arbiters listed and staked, and purses filled", async () => {
    expect(await chain.rpc("eth_chainId")).toBe("0x53a");
    expect(await read("registry", "assertionRevealWindow")).toBe(3n);
    expect(await read("registry", "arbiterVoteWindow")).toBe(4n);
    expect(await read("registry", "arbiterCount")).toBe(2n);
    expect(await read("registry", "staking")).toBe(chain.contracts.staking.address);
    for (const account of chain.accounts.arbiters) {
      expect(await read("registry", "isArbiter", [account])).toBe(true);
      expect(await read("staking", "isEligible", [account])).toBe(true);
    }
    for (const account of [chain.accounts.ambassador, ...chain.accounts.rivals]) {
      expect(await read("token", "balanceOf", [account])).toBe(1_000_000n * 10n ** 18n);
    }
    expect(new Set(Object.values(chain.accounts).flat()).size).toBe(8);
  });

  it("mines every transaction when many senders and one sender many times share a block", async () => {
    const { rivals } = chain.accounts;
    const approvals = rivals.flatMap((from) =>
      [1n, 2n, 3n].map((value) => chain.send(from, chain.contracts.token, "approve", [rivals[0], value])),
    );
    const mined = await Promise.all(approvals);
    expect(new Set(mined.map(({ hash }) => hash)).size).toBe(12);
    for (const from of rivals) {
      expect(await chain.rpc("eth_getTransactionCount", [from, "latest"])).toBe("0x3");
      expect(await read("token", "allowance", [from, rivals[0]])).toBe(3n);
    }
  });

  it("mines what is sent at once in one block, in the order given", async () => {
    const [from, spender] = chain.accounts.rivals;
    const values = Array.from({ length: 60 }, (_, index) => BigInt(index));
    const calls = values.map((value) => [spender, value]);
    const mined = await chain.sendAtOnce(from!, chain.contracts.token, "approve", calls);
    expect(new Set(mined.map(({ block }) => block)).size).toBe(1);
    expect(mined.map(({ logs }) => logs[0]?.args.value)).toEqual(values);
    expect(await read("token", "allowance", [from, spender])).toBe(59n);
  });

  it("tells why a transaction reverted, its own or anybody's", async () => {
    const { ambassador } = chain.accounts;
    const { registry } = chain.contracts;
    await expect(chain.send(ambassador, registry, "settleBounty", [404n])).rejects.toMatchObject({
      code: "TRANSACTION_REVERTED",
      reason: "Bounty not initialized",
    });
    const data = chain.encode(registry, "voteOnBounty", [404n, 1n, true]);
    const call = { from: ambassador, to: registry.address, data, gas: "0x100000", gasPrice: "0x0" };
    const hash = String(await chain.rpc("eth_sendTransaction", [call]));
    await chain.rpc("evm_mine");
    expect(await chain.revertReason(hash)).toBe("");
  });

  it("reports the events of a range of blocks by name, and only those", async () => {
    const [account] = chain.accounts.rivals;
    const from = (await chain.head()) + 1;
    await chain.fund(account!, 5n as Nct);
    const { block, hash } = await chain.send(account!, chain.contracts.token, "transfer", [
      chain.accounts.deployer,
      2n,
    ]);
    expect(await chain.logs(block, block)).toEqual([
      {
        contract: "token",
        event: "Transfer",
        args: { from: account, to: chain.accounts.deployer, value: 2n },
        blockNumber: block,
        transactionHash: hash,
        logIndex: 0,
      },
    ]);
    expect((await chain.logs(from, block)).map(({ args }) => args.value)).toEqual([5n, 2n]);
  });

  it("refuses to talk to a function that the contract does not have", async () => {
    await expect(chain.call(chain.contracts.token, "burn", [])).rejects.toMatchObject({
      code: "CONTRACT_LACKS_FUNCTION",
    });
  });

  it("passes a bounty of the largest size", async () => {
    const { ambassador } = chain.accounts;
    const { token, registry } = chain.contracts;
    await chain.send(ambassador, token, "approve", [registry.address, 2n ** 255n]);
    const args = postArgs(1n, { artifacts: 256, amount: 512n * 10n ** 18n }).with(7, "x".repeat(10_000));
    const { logs } = await chain.send(ambassador, registry, "postBounty", args);
    expect(logs.at(-1)).toMatchObject({ event: "NewBounty", args: { guid: 1n } });
  });
});

describe("a chain that dies under a running market", () => {
  it("says so, and one that is disposed of does not", async () => {
    const said: { msg: string; process: number; url: string }[] = [];
    const died = Promise.withResolvers<void>();
    const write = (line: string): void => {
      said.push(JSON.parse(line));
      if (said.at(-1)?.msg === "chain.died") died.resolve();
    };
    const options = { blockTimeMs: 1000, revealWindow: 3, voteWindow: 4, arbiters: 1, rivals: 0 };
    const log = pino({ base: null }, { write });
    const disposed = await startChain({ ...options, log });
    await disposed[Symbol.asyncDispose]();
    await using chain = await startChain({ ...options, log });
    process.kill(said.at(-1)!.process, "SIGKILL");
    await died.promise;
    expect(said.map(({ msg, url }) => [msg, url])).toEqual([
      ["chain.started", disposed.url],
      ["chain.started", chain.url],
      ["chain.died", chain.url],
    ]);
  });
});

describe("anvil", () => {
  it("is gone when it is disposed of", async () => {
    const anvil = await startAnvil(ANVIL);
    await using rpc = openRpc(anvil.url);
    expect(await rpc.call("eth_chainId")).toBe("0x5");
    await anvil[Symbol.asyncDispose]();
    expect(() => process.kill(anvil.pid, 0)).toThrow("ESRCH");
    await expect(rpc.call("eth_chainId")).rejects.toMatchObject({ code: "RPC_UNREACHABLE", retryable: true });
  });

  it("says so when its port is taken", async () => {
    await using anvil = await startAnvil(ANVIL);
    const port = Number(new URL(anvil.url).port);
    await expect(startAnvil({ ...ANVIL, port })).rejects.toMatchObject({ code: "ANVIL_FAILED" });
  });

  it("dies with a parent that is killed without warning", async () => {
    const module = new URL("../../src/sandbox/chain/anvil.ts", import.meta.url).href;
    const program = `const { startAnvil } = await import(${JSON.stringify(module)});
      console.log((await startAnvil(${JSON.stringify(ANVIL)})).url);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [url] = await once(createInterface({ input: parent.stdout }), "line");
    const wire = connect(Number(new URL(url).port), "127.0.0.1");
    await once(wire, "connect");
    // Whether the wire ends politely or is reset does not matter.
    const cut = new Promise((resolve) => wire.resume().once("error", resolve).once("close", resolve));
    parent.kill("SIGKILL");
    await cut;
  });
});
