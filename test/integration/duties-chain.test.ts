import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Guid } from "../../src/domain/guid.ts";
import { systemClock } from "../../src/domain/instant.ts";
import { nct, ONE_NCT } from "../../src/domain/nct.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { Step } from "../../src/ledger/records.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { joinPolyswarmd } from "../../src/market/onchain/gateway/client.ts";
import type { Journal, Marketplace } from "../../src/market/onchain/port/marketplace.ts";
import { commitment } from "../../src/market/onchain/settlement/record/commitment.ts";
import { createLogger } from "../../src/observe/log.ts";
import type { ProducerEvents } from "../../src/producer/events/events.ts";
import { BalanceReservations } from "../../src/producer/funds/balance-reservations.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { openSigner, type Wallet } from "../../src/wallet/signer.ts";
import { skipToReveals, skipToVotes, WIDE } from "../e2e/market.ts";
import { paced } from "../fixtures/busy-machine.ts";
import { onchainDuties } from "../fixtures/onchain-duties.ts";

const log = createLogger({ level: "silent", format: "json", name: "test" });

let sandbox: Sandbox;
let wallet: Wallet;
let folder: string;
let ledger: Ledger;

beforeAll(async () => {
  wallet = openSigner(createHash("sha256").update("duties against a chain").digest());
  sandbox = await startSandbox({
    ...WIDE,
    blockTimeMs: paced(200),
    arbiters: 1,
    rivals: 0,
    rivalAccuracy: 1,
    rivalStakeNct: nct(ONE_NCT / 8n),
    artifactsPerBounty: 1,
    rewardNct: nct(2n * ONE_NCT),
    bountyIntervalMs: 1_000,
    opens: "when-told" as const,
    seed: 7,
    fund: [wallet.address],
    basePath: "/v1/default",
    logger: log,
  });
  folder = await mkdtemp(join(tmpdir(), "duties-chain-"));
  ledger = openLedger(join(folder, "ledger.sqlite"), systemClock);
});

afterAll(async () => {
  ledger?.[Symbol.dispose]();
  await sandbox?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

type Action = "assert" | "reveal" | "settle";

/** The process ends between the ledger's write and the first byte to the gateway. */
function dyingAt(action: Action | undefined, market: Marketplace, died: () => void): Marketplace {
  const last =
    <Signed, Rest extends unknown[]>(journal: (signed: Signed, ...rest: Rest) => Promise<void> | void) =>
    async (signed: Signed, ...rest: Rest) => {
      await journal(signed, ...rest);
      died();
      return new Promise<void>(() => {});
    };
  const here = (name: Action, journal: Journal): Journal => (name === action ? last(journal) : journal);
  return {
    ...market,
    assert: (request, journal, options) =>
      market.assert(request, action === "assert" ? last(journal) : journal, options),
    reveal: (request, journal) => market.reveal(request, here("reveal", journal)),
    settle: (guid, journal) => market.settle(guid, here("settle", journal)),
  };
}

/** A run of the producer's duties over the ledger, which ends in the middle of `action`. */
async function startRun(dies?: Action) {
  const market = joinPolyswarmd({
    addr: `${sandbox.url}/`,
    chain: "side" as const,
    signer: wallet,
    log,
    clock: systemClock,
    random: Math.random,
    timings: { receiptPollMs: 50 },
  });
  await market.start(AbortSignal.timeout(240_000));
  const dead = Promise.withResolvers<void>();
  const told = new EventTarget();
  const reservations = new BalanceReservations(() => market.balance(), systemClock);
  const heard: string[] = [];
  const duties = onchainDuties({
    market: dyingAt(dies, market, dead.resolve),
    ledger,
    reservations,
    clock: systemClock,
    tell: (event) => {
      heard.push(event);
      told.dispatchEvent(new Event(event));
    },
  });
  duties.listen();
  return {
    market,
    duties,
    heard,
    dead: dead.promise,
    /** Resolves when the duties tell of it. */
    event: (name: keyof ProducerEvents) =>
      new Promise<void>((resolve) => void told.addEventListener(name, () => resolve(), { once: true })),
    async [Symbol.asyncDispose]() {
      void duties.stop();
      await market[Symbol.asyncDispose]();
    },
  };
}

async function plan(market: Marketplace, guid: Guid): Promise<void> {
  const key = { market: "side", guid } as const;
  const bounty = await market.bounty(guid);
  const { assertionFee: fee, bidMinimum: stake } = market.parameters();
  const nonce = 77n;
  ledger.see(bounty!);
  ledger.recordTriage(key, ["scan"]);
  ledger.recordOpinions(key, [null], []);
  ledger.planAssertion(key, {
    nonce,
    mask: 1n,
    verdicts: 1n,
    bids: [stake],
    stake,
    fee,
    plannedAt: systemClock.now(),
    commitment: commitment(wallet.address, 1n, nonce),
    metadata: [{ malware_family: "EICAR" }],
  });
}

const post = () =>
  sandbox.postBounty({
    contents: [Buffer.from("malicious")],
    truth: [true],
    duration: WIDE.durationBlocks,
    reward: nct(9n * ONE_NCT),
  });

/** Hashes of what the chain took of us on a bounty, by event. */
async function deeds(guid: Guid, event: string): Promise<readonly string[]> {
  const logs = await sandbox.chain.logs(0, await sandbox.chain.head());
  const uint = BigInt(`0x${guid.replaceAll("-", "")}`);
  return logs
    .filter(({ args }) => args.bountyGuid === uint && [args.author, args.settler].includes(wallet.address))
    .filter((entry) => entry.event === event)
    .map(({ transactionHash }) => transactionHash);
}

const lastHash = (guid: Guid, action: Step) =>
  ledger.lastEntries({ market: "side", guid }, action).at(-1)!.reference;

describe("on a real chain", () => {
  it("a producer that dies between signing and sending, each time, sends the very same bytes at its next start", async () => {
    const guid = await post();
    const signed: Partial<Record<Action, string>> = {};
    for (const action of ["assert", "reveal", "settle"] as const) {
      await using run = await startRun(action);
      if (action === "assert") {
        await plan(run.market, guid);
        void run.duties.take(guid, 0);
      } else {
        const before = run.event(action === "reveal" ? "assertion.posted" : "assertion.revealed");
        run.duties.resume();
        await before;
        await (action === "reveal" ? skipToReveals(sandbox) : skipToVotes(sandbox));
      }
      await run.dead;
      signed[action] = lastHash(guid, action);
    }
    await using run = await startRun();
    const settled = run.event("assertion.settled");
    run.duties.resume();
    await settled;
    expect(await deeds(guid, "NewAssertion")).toEqual([signed.assert]);
    expect(await deeds(guid, "RevealedAssertion")).toEqual([signed.reveal]);
    expect(await deeds(guid, "SettledBounty")).toEqual([signed.settle]);
    expect(ledger.find({ market: "side", guid })?.state).toBe("settled");
  });

  it("an assertion and a reveal whose blocks are taken back are there again in time", async () => {
    await using run = await startRun();
    const guid = await post();
    await plan(run.market, guid);
    const settled = run.event("assertion.settled");
    const revealed = run.event("assertion.revealed");
    await run.duties.take(guid, 0);
    await takeBack(guid, "NewAssertion");
    await thereAgain(guid, "NewAssertion");
    await skipToReveals(sandbox);
    await revealed;
    await takeBack(guid, "RevealedAssertion");
    await thereAgain(guid, "RevealedAssertion");
    await skipToVotes(sandbox);
    await settled;
    expect(run.heard.filter((event) => event === "assertion.vanished").length).toBeGreaterThanOrEqual(2);
    expect(await deeds(guid, "NewAssertion")).toEqual([lastHash(guid, "assert")]);
    expect(await deeds(guid, "RevealedAssertion")).toEqual([lastHash(guid, "reveal")]);
    expect(ledger.summary()).toMatchObject({ revealsMissed: 0 });
  });

  const thereAgain = (guid: Guid, event: string) => expect.poll(() => deeds(guid, event)).toHaveLength(1);

  /** Replaces the block of an event, and all after it, with empty ones. */
  async function takeBack(guid: Guid, event: string): Promise<void> {
    const [hash] = await deeds(guid, event);
    const receipt = (await sandbox.chain.rpc("eth_getTransactionReceipt", [hash])) as { blockNumber: string };
    const depth = (await sandbox.chain.head()) - Number(receipt.blockNumber) + 1;
    await sandbox.chain.rpc("anvil_reorg", [depth, []]);
    expect(await deeds(guid, event)).toEqual([]);
  }
});
