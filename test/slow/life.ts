import { parseAddress } from "../../src/domain/address.ts";
import { type Guid, uintToGuid } from "../../src/domain/guid.ts";
import { type Clock, instant } from "../../src/domain/instant.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/sqlite/open-ledger.ts";
import { resendSigned } from "../../src/market/onchain/chain/resend-signed.ts";
import { block } from "../../src/market/onchain/port/block.ts";
import type { Duties } from "../../src/producer/duties/duties.ts";
import { BalanceReservations } from "../../src/producer/funds/balance-reservations.ts";
import { aBounty, aPlan } from "../fixtures/bounties.ts";
import { onchainDuties } from "../fixtures/onchain-duties.ts";
import { type ModelBounty, ModelChain } from "./model-chain.ts";
import { type Endpoint, type Loss, ModelGateway, type Weather } from "./model-gateway.ts";
import { joinModelMarket } from "./model-market.ts";
import { dice, ModelTime } from "./model-time.ts";
import type { Scenario } from "./scenario.ts";

const ACCOUNT = parseAddress("0x63046FD3FBCe76196914C3021B30c09CEB2f4F03");
const VOTE_WINDOW = 20;
/** Between two bounties, so that some are posted while others are revealed. */
const EVERY_BLOCKS = 4;
/** Blocks after the last vote window in which everything is to be settled, on a gateway that is not slow any more. */
const LAST_BLOCKS = 160;
/** Milliseconds of an answer where the weather is fair, and the jitter of every one: half to one and a half times. */
const FAIR_MS = 40;
const JITTER = 1.5;
/** A frame about an assertion comes so many milliseconds later than one about a block, at the latest. */
const LATEST_FRAME_MS = 4_000;

export interface Life {
  readonly scenario: Scenario;
  readonly staked: number;
  /** Of those, how many reveals an honest gateway would have taken in time; see `revealableInTime`. */
  readonly revealable: number;
  readonly revealed: number;
  readonly settled: number;
  /** Revealable and not revealed, or staked and not settled: what must not be. */
  readonly lost: readonly string[];
  /** The most requests that were on their way at once. */
  readonly requests: number;
}

/** A process that keeps promises, until it is killed. */
interface Run {
  readonly gateway: ModelGateway;
  readonly duties: Duties;
  readonly market: ReturnType<typeof joinModelMarket>;
  alive: boolean;
}

/** What one bounty's reveal had to go by. */
interface Trace {
  readonly bounty: ModelBounty;
  /** When a living process could first know that the reveal was due. */
  dueAt: number | undefined;
  /** When the process began that lives since then. */
  aliveSince: number;
  placeKnown: boolean;
  published: boolean;
}

/** Lives one scenario from the first bounty to the last settlement. */
export async function live(scenario: Scenario): Promise<Life> {
  const { seed, blockMs, durationBlocks, revealWindow, bounties, trouble, streamMs, deaf } = scenario;
  const { atOnce = 1 } = scenario;
  const random = dice(seed ^ 0x5eed);
  const time = new ModelTime();
  const chain = new ModelChain({ revealWindow, voteWindow: VOTE_WINDOW });
  const clock: Clock = { now: () => instant(1_600_000_000_000 + Math.round(time.now())) };
  const ledger = openLedger(":memory:", clock);
  const weather = weatherOf(scenario, chain, random);
  const traces: Trace[] = [];
  const died = new Set<Run>();
  let most = 0;

  const start = (): Run => {
    const gateway = new ModelGateway({ chain, time, weather, account: ACCOUNT, random, onSubmit: () => {} });
    const market = joinModelMarket({ chain, gateway, time, account: ACCOUNT, blockMs, random });
    const duties = onchainDuties({
      market,
      ledger,
      clock,
      tell: () => {},
      steadyMs: () => time.now(),
      timeout: (ms: number) => time.timeout(ms),
      reservations: new BalanceReservations(() => market.balance(), clock),
    });
    duties.listen();
    return { gateway, market, duties, alive: true };
  };
  let run = start();

  const kill = (): void => {
    const killed = run;
    killed.alive = false;
    killed.gateway.die();
    void killed.duties.stop();
    died.add(killed);
    most = Math.max(most, killed.gateway.most);
    time.after((0.5 + 3 * random()) * blockMs, () => {
      run = start();
      const began = run;
      const now = time.now();
      for (const trace of traces) trace.aliveSince = now;
      void resendSigned({ market: began.market, ledger, tell: () => {} }, new AbortController().signal)
        .catch(() => undefined)
        .then(() => began.alive && began.duties.resume());
    });
  };
  if (trouble === "kills" || trouble === "both")
    for (let times = 0; times < 1 + Math.floor(2 * random()); times++)
      time.after(random() * (durationBlocks + revealWindow) * blockMs, () => {
        if (run.alive) kill();
      });

  const first = chain.head;
  const post = (): void => {
    const trace = plan(chain, ledger, { number: traces.length, expiration: chain.head + durationBlocks });
    traces.push({ ...trace, aliveSince: 0 });
    if (run.alive) void run.duties.take(trace.bounty.guid, clock.now());
  };
  const onBlock = (): void => {
    const asserted = new Set(traces.filter(({ bounty }) => bounty.asserted).map(({ bounty }) => bounty.guid));
    chain.mine();
    time.after(blockMs, onBlock);
    if ((chain.head - first) % EVERY_BLOCKS === 1)
      for (let posted = 0; posted < atOnce && traces.length < bounties; posted++) post();
    for (const { bounty } of traces) {
      const { guid, asserted: ours, place } = bounty;
      if (ours === undefined || asserted.has(guid) || random() < deaf) continue;
      const { commitment } = ours;
      const notice = {
        guid,
        author: ACCOUNT,
        index: place,
        bids: aPlan().bids,
        mask: aPlan().mask,
        commitment,
      };
      time.after(
        streamMs + LATEST_FRAME_MS * random(),
        () => run.alive && run.market.tell("assertion", notice),
      );
    }
    const number = block(chain.head);
    time.after(streamMs, () => {
      for (const trace of traces) noteDue(trace, { chain, ledger, now: time.now(), alive: run.alive });
      if (run.alive) run.market.tell("block", { number });
    });
  };
  time.after(blockMs, onBlock);

  const last = first + bounties * EVERY_BLOCKS + durationBlocks + revealWindow + VOTE_WINDOW + LAST_BLOCKS;
  const isOver = (): boolean =>
    traces.length === bounties &&
    traces.every(({ bounty }) => ["settled", "abandoned"].includes(stateOf(ledger, bounty.guid)));
  await time.passUntil((last - first) * blockMs, isOver);
  most = Math.max(most, run.gateway.most);

  const staked = traces.filter(({ bounty }) => bounty.asserted);
  const revealable = staked.filter((trace) => revealableInTime(scenario, chain, trace));
  const lost = [
    ...revealable.filter(({ bounty }) => !bounty.revealed).map(({ bounty }) => `${bounty.guid} not revealed`),
    ...staked
      .filter(({ bounty }) => bounty.settled === undefined || stateOf(ledger, bounty.guid) !== "settled")
      .map(({ bounty }) => `${bounty.guid} not settled (${stateOf(ledger, bounty.guid)})`),
  ];
  run.gateway.die();
  void run.duties.stop();
  return {
    scenario,
    lost,
    requests: most,
    staked: staked.length,
    revealable: revealable.length,
    revealed: staked.filter(({ bounty }) => bounty.revealed).length,
    settled: staked.filter(({ bounty }) => bounty.settled !== undefined).length,
  };
}

const stateOf = (ledger: Ledger, guid: Guid): string =>
  ledger.find({ market: "side", guid })?.state ?? "none";

function plan(
  chain: ModelChain,
  ledger: Ledger,
  { number, expiration }: { readonly number: number; readonly expiration: number },
): Omit<Trace, "aliveSince"> {
  const guid = uintToGuid(BigInt(number + 1));
  const key = { market: "side", guid } as const;
  ledger.see(aBounty({ guid, expiration: block(expiration) }));
  ledger.recordTriage(key, ["scan", "scan"]);
  ledger.recordOpinions(key, [null, null], []);
  ledger.planAssertion(key, aPlan({ commitment: BigInt(1_000 + number) }));
  const bounty: ModelBounty = {
    guid,
    expiration,
    place: number % 3,
    asserted: undefined,
    revealed: undefined,
    settled: undefined,
  };
  chain.bounties.set(guid, bounty);
  return { bounty, dueAt: undefined, placeKnown: false, published: false };
}

interface Now {
  readonly chain: ModelChain;
  readonly ledger: Ledger;
  readonly now: number;
  readonly alive: boolean;
}

function noteDue(trace: Trace, { chain, ledger, now, alive }: Now): void {
  const { bounty, dueAt } = trace;
  if (!alive || dueAt !== undefined || chain.head < bounty.expiration) return;
  const known = ledger.assertion({ market: "side", guid: bounty.guid });
  trace.dueAt = now;
  trace.placeKnown = known?.index !== null && known?.index !== undefined;
  trace.published = known?.metadataUri !== null && known?.metadataUri !== undefined;
}

function weatherOf(scenario: Scenario, chain: ModelChain, random: () => number): Weather {
  const { slow, factor, phase, trouble, blockMs, durationBlocks, revealWindow, bounties } = scenario;
  const first = chain.head;
  const revealsFrom = first + durationBlocks;
  const revealsEnd = revealsFrom + revealWindow + bounties * EVERY_BLOCKS;
  const calmFrom = revealsEnd + VOTE_WINDOW + EVERY_BLOCKS;
  const inPhase = (): boolean => {
    const { head } = chain;
    if (head >= calmFrom) return false;
    if (phase === "posting") return head < revealsFrom;
    if (phase === "revealing") return head >= revealsFrom - 1 && head <= revealsEnd;
    return phase === "always" || head > revealsEnd;
  };
  /** Answered since the last that was lost: two in a row are never lost, or nobody could promise anything. */
  const since: Partial<Record<Endpoint, number>> = {};
  return {
    hides: ({ expiration }) => scenario.hidden === true && chain.head <= expiration + revealWindow,
    latencyMs(endpoint) {
      const isSlow = slow.includes(endpoint) && inPhase();
      return (isSlow ? factor * blockMs : FAIR_MS) * (0.5 + random());
    },
    loss(endpoint): Loss {
      if (trouble !== "losses" && trouble !== "both") return "none";
      const answered = (since[endpoint] ?? 0) + 1;
      since[endpoint] = answered;
      if (answered < 3 || random() > 0.15 || chain.head >= calmFrom) return "none";
      since[endpoint] = 0;
      return (["unsent", "unanswered", "hang"] as const)[Math.floor(random() * 3)]!;
    },
  };
}

/** Milliseconds: a request that was lost is asked for again after this, at the latest. */
const LOST_COSTS_MS = 3_500;
/** The steps of a reveal that can each lose a request. */
const STEPS = 5;
/** Blocks that are left in the window, the last one not counted, when places are tried. */
const TRIED_BLOCKS = 4;
/** Blocks between a block and the reveal that is sent on it, and for what is left to chance. */
const SPARE_BLOCKS = 2;

/**
 * The shared rule: whenever an honest gateway would have taken the reveal in time, it was sent in time. It would have,
 * when all that a reveal needs, each at its slowest, fits between the moment at which a living process knew that it was
 * due and the last block that takes it: the place of the assertion unless it was known (the list, and one look at the
 * entry), a second for the metadata unless it is stored, the building, the account nonces twice, and four posts: those
 * of another bounty's approval and assertion that have their turn, those of the reveals before it, and its own. After a
 * kill, also what the process before had signed is handed over first.
 */
function revealableInTime(scenario: Scenario, chain: ModelChain, trace: Trace): boolean {
  const { blockMs, slow, factor, trouble, streamMs, phase } = scenario;
  const { bounty, dueAt, aliveSince, placeKnown, published } = trace;
  if (dueAt === undefined) return false;
  const slowest = (endpoint: Endpoint): number =>
    JITTER *
    (slow.includes(endpoint) && phase !== "settling" ? Math.max(factor * blockMs, FAIR_MS) : FAIR_MS);
  const toldBlock = (bounty.asserted?.block ?? 0) + (streamMs + LATEST_FRAME_MS) / blockMs;
  const isTold = scenario.deaf === 0 && toldBlock < bounty.expiration;
  const isKnown = (placeKnown || isTold) && aliveSince <= dueAt;
  const isTried = scenario.hidden === true && !isKnown;
  const place = isKnown ? 0 : slowest("list") + slowest(isTried ? "nonce" : "single");
  const metadata = published ? 0 : 1_000;
  const loses = trouble === "losses" || trouble === "both";
  const again = aliveSince > 0 ? slowest("nonce") + 4 * slowest("post") : 0;
  const vanished = scenario.hidden ? scenario.bounties * (slowest("nonce") + slowest("post")) : 0;
  const needed =
    place +
    vanished +
    metadata +
    slowest("build") +
    2 * slowest("nonce") +
    4 * slowest("post") +
    again +
    (loses ? STEPS * LOST_COSTS_MS : 0) +
    SPARE_BLOCKS * blockMs +
    streamMs;
  // The block in which it must be mined at the latest, and the moment of that block.
  const lastBlock = bounty.expiration + chain.revealWindow - 1;
  const lastAt = (lastBlock - FIRST_BLOCK) * blockMs;
  const triedAt = isTried ? (lastBlock - TRIED_BLOCKS - FIRST_BLOCK) * blockMs + streamMs : 0;
  return Math.max(dueAt, aliveSince, triedAt) + needed < lastAt;
}

const FIRST_BLOCK = 1_000;
