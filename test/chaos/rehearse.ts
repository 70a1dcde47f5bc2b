import { setTimeout as sleep } from "node:timers/promises";
import { dice } from "../../src/sandbox/players/dice.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { EICAR, openMarket, REWARD } from "../e2e/market.ts";
import { Blocks } from "./blocks.ts";
import { Cast, type Fall, NEEDED } from "./cast.ts";
import { Chronicle } from "./chronicle.ts";
import { HOSTILE_CLAIMS } from "./hostile-claims.ts";
import { statesIn } from "./ledger-rows.ts";
import { type Blow, type Phase, planBlows, type Target } from "./plan.ts";
import { type Facts, type Judgement, judge } from "./referee.ts";
import { type Stalls, stallsIn } from "./stalls.ts";
import { allUp } from "./uptime.ts";

export interface Rehearsal {
  readonly seed: number;
  readonly phase: Phase;
  readonly kills: number;
  /** For wallet, ledger and logs. */
  readonly folder: string;
  readonly tempo: Tempo;
  /** Told after each blow. */
  readonly onBlow?: (blow: Blow, index: number) => void;
}

/** How fast a market lives, in blocks but for the first. The windows are wide enough for a reveal between two blows. */
export interface Tempo {
  /** On a quiet machine; `openMarket` makes it longer on a busy one. */
  readonly blockTimeMs: number;
  readonly duration: number;
  readonly revealWindow: number;
  readonly voteWindow: number;
  /** Between two bounties. */
  readonly bountyEvery: number;
  /** See `Facts.answerBlocks`. */
  readonly answerBlocks: number;
  /** A long rest, before every fifth blow. */
  readonly rest: number;
  /** A blow that waits longer for its state falls without it. */
  readonly patience: number;
}

export interface Outcome {
  readonly judgement: Judgement;
  /** By the state that was waited for. */
  readonly killed: ReadonlyMap<Target, number>;
  /** Bounties that were in a state when a blow fell, over all blows. */
  readonly inFlight: ReadonlyMap<string, number>;
  /** Blows whose state did not come up in time. */
  readonly blind: number;
  readonly falls: readonly Fall[];
  /** To be asked before the folder goes. */
  readonly stalls: () => Stalls;
  readonly durationMs: number;
}

const MAX_DELAY_MS = 400;
const CONSUMERS = 2;
/** What a log tells of a state, for blows from outside. */
const TOLD: Partial<Record<Target, string>> = {
  seen: "bounty.seen",
  dispatched: "bounty.dispatched",
  distilled: "artifact.distilled",
  planned: "assertion.planned",
  asserted: "assertion.posted",
  revealed: "assertion.revealed",
  settled: "assertion.settled",
};
/** Of the bounties, one in so many is an attacker's. */
const HOSTILE_EVERY = 4;
/** After the last bounty's vote window: for settlements that take a second attempt. */
const ENCORE_BLOCKS = 60;

/** Plays one phase from the first bounty to the last settlement, and judges it by what the chain has. */
export async function rehearse(rehearsal: Rehearsal): Promise<Outcome> {
  const { seed, phase, kills, folder, tempo } = rehearsal;
  const startedAt = performance.now();
  await using sandbox = await openMarket(folder, {
    blockTimeMs: tempo.blockTimeMs,
    revealWindow: tempo.revealWindow,
    voteWindow: tempo.voteWindow,
    arbiters: 1,
    rivals: 0,
    seed,
  });
  const chronicle = new Chronicle(sandbox.chain, sandbox.account!, await sandbox.chain.head());
  const bounties = poster(sandbox, seed, tempo);
  await using blocks = await Blocks.follow(sandbox.chain, tempo.blockTimeMs / 4, async (head) => {
    bounties.onBlock(head);
    await chronicle.readTo(head);
  });
  await using cast = await Cast.open({
    gateway: sandbox.url,
    folder,
    head: () => blocks.head,
    // A hundred successors that each wait for a lease to lapse would make a long evening.
    consumers: phase === "producer" ? 0 : CONSUMERS,
  });

  const plan = planBlows(seed, phase, kills, {
    restBlocks: tempo.rest,
    maxDelayMs: MAX_DELAY_MS,
  });
  const tally = { killed: new Map<Target, number>(), inFlight: new Map<string, number>(), blind: 0 };
  const scene: Scene = { cast, blocks, tempo };
  let producer = startFor(plan, 0, cast);
  await cast.producer.told("producer.ready").catch(() => undefined);
  bounties.begin();
  for (const [index, blow] of plan.entries()) {
    if (!(await strike(plan, index, scene, producer))) tally.blind++;
    tally.killed.set(blow.state, (tally.killed.get(blow.state) ?? 0) + 1);
    for (const [state, count] of statesIn(folder)) {
      tally.inFlight.set(state, (tally.inFlight.get(state) ?? 0) + count);
    }
    await blocks.pass(blow.downBlocks);
    await comeBack(blow, index, cast);
    if (blow.victim === "producer") producer = startFor(plan, index + 1, cast);
    rehearsal.onBlow?.(blow, index);
  }

  bounties.end();
  const facts = (): Facts => ({
    bounties: chronicle.bounties,
    transactions: chronicle.transactions,
    up: allUp(NEEDED, cast.changes, blocks.head),
    answerBlocks: tempo.answerBlocks,
  });
  const lastExpiration = () => Math.max(0, ...chronicle.bounties.map(({ expiration }) => expiration));
  const lastBlock = () => lastExpiration() + tempo.revealWindow + tempo.voteWindow + ENCORE_BLOCKS;
  await bounties.posted();
  await blocks.until(() => {
    if (blocks.head > lastBlock()) return true;
    return blocks.head > lastExpiration() && judge(facts()).unsettled.length === 0;
  });
  const { falls } = cast;
  const judgement = judge(facts());
  const durationMs = performance.now() - startedAt;
  // The last producer's log is written down when it ends, which is after this.
  const stalls = () => stallsIn(folder);
  return { judgement, ...tally, falls, stalls, durationMs };
}

/** The producer that the next blow at a producer will end, or one that none will. */
function startFor(plan: readonly Blow[], from: number, cast: Cast): Promise<void> {
  const blow = plan.slice(from).find(({ victim }) => victim === "producer");
  if (blow === undefined) return cast.startProducer();
  return cast.startProducer({ blow, arming: armedAtBirth(plan, plan.indexOf(blow)) ? "armed" : "disarmed" });
}

/** Whether the trap waits for a step from the first moment on, so that taking up what was left can be cut off, too. */
const armedAtBirth = (plan: readonly Blow[], index: number): boolean =>
  index > 0 && plan[index]!.restBlocks === 0 && plan[index - 1]!.victim === "producer";

interface Scene {
  readonly cast: Cast;
  readonly blocks: Blocks;
  readonly tempo: Tempo;
}

/** Brings the victim down; false when the state was not seen before patience ended. */
async function strike(
  plan: readonly Blow[],
  index: number,
  { cast, blocks, tempo }: Scene,
  producerKilled: Promise<void>,
): Promise<boolean> {
  const { victim, state, delayMs, restBlocks, manner } = plan[index]!;
  const isArmed = victim === "producer" && armedAtBirth(plan, index);
  if (!isArmed) {
    await cast.producer.told("producer.ready").catch(() => undefined);
    await blocks.pass(restBlocks);
  }
  const patience = blocks.pass(tempo.patience).then(() => false);
  if (victim === "producer") {
    if (!isArmed) cast.producer.signal("SIGUSR2");
    const sprung = await Promise.race([producerKilled.then(() => true), patience]);
    if (!sprung) await cast.producer.kill("SIGKILL");
    await producerKilled;
    return sprung;
  }
  const seen = await Promise.race([told(cast, TOLD[state]!), patience]);
  await sleep(delayMs);
  if (victim === "consumer") await cast.killConsumer(index % CONSUMERS);
  if (victim === "redis") await cast.killRedis();
  if (victim === "network") cast.cutLine(manner);
  return seen;
}

async function comeBack({ victim }: Blow, index: number, cast: Cast): Promise<void> {
  if (victim === "consumer") void cast.startConsumer(index % CONSUMERS);
  if (victim === "redis") await cast.restartRedis();
  if (victim === "network") cast.mendLine();
}

/** Resolves at the producer's next entry of this name; never when it ends before. */
async function told({ producer }: Cast, msg: string): Promise<true> {
  const before = producer.entries.filter((entry) => entry.msg === msg).length;
  await producer.told(msg, before + 1).catch(() => new Promise<never>(() => undefined));
  return true;
}

/** Posts bounties of two artifacts, at least one of them malicious, for as long as it is told to. */
function poster(sandbox: Sandbox, seed: number, { duration, bountyEvery }: Tempo) {
  const chance = dice("contents", seed);
  const posts: Promise<unknown>[] = [];
  let isOpen = false;
  let next = 0;
  let hostile = 0;
  const hostileClaims = () => HOSTILE_CLAIMS[hostile++ % HOSTILE_CLAIMS.length]!;
  const post = async (): Promise<void> => {
    const marked = Buffer.from(chance.integer(8).toString(16));
    const truth = [true, chance.ratio() < 0.5];
    const contents = truth.map((malicious) => (malicious ? Buffer.concat([EICAR, marked]) : marked));
    const claims = posts.length % HOSTILE_EVERY === 0 ? hostileClaims() : undefined;
    const commission = { contents, truth, duration, reward: REWARD };
    await sandbox.postBounty(claims === undefined ? commission : { ...commission, claims });
  };
  return {
    onBlock(head: number) {
      if (!isOpen || head < next) return;
      next = head + bountyEvery;
      posts.push(post());
    },
    begin() {
      isOpen = true;
    },
    end() {
      isOpen = false;
    },
    posted: () => Promise.all(posts),
  };
}
