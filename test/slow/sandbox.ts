import { EngineProcess, producerFlags, temporaryFolder } from "../e2e/engine.ts";
import { deedsOnChain, EICAR, openMarket, REWARD } from "../e2e/market.ts";
import { Meddler } from "../e2e/meddler.ts";

export const BOUNTIES = 6;

/** Milliseconds. */
const BLOCK_MS = 1_000;
const READS_MS = 700;
const RECEIPTS_MS = 9_000;
/** In blocks. */
const DURATION = 20;
const EVERY = 2;
const TERMS = { revealWindow: 10, voteWindow: 15 };

/**
 * A sandbox with blocks of a second behind a gateway whose assertion reads take 0.7 s and whose receipts take 9 s longer,
 * which is nearly all of the reveal window; resolves to what the chain took of one engine's answers to six bounties.
 */
export async function liveOnSandbox(): Promise<Record<string, number>> {
  using folder = temporaryFolder();
  await using sandbox = await openMarket(folder.path, { blockTimeMs: BLOCK_MS, ...TERMS });
  await using meddler = await Meddler.open(sandbox.url);
  await using engine = new EngineProcess([
    ...producerFlags(meddler.url, folder.path),
    ...["--embedded", "1", "--benign", "eicar=0.8"],
  ]);
  await Promise.all([engine.told("producer.ready"), engine.told("consumer.serving")]);
  meddler.delay(/^GET \/bounties\/[^/]+\/assertions/, READS_MS);
  meddler.delay(/^GET \/transactions/, RECEIPTS_MS);
  let last = 0;
  for (let posted = 0; posted < BOUNTIES; posted++) {
    const contents = [Buffer.from(`${EICAR}${" ".repeat(posted)}`)];
    await sandbox.postBounty({ contents, truth: [true], duration: DURATION, reward: REWARD });
    last = await sandbox.chain.head();
    while ((await sandbox.chain.head()) < last + EVERY) await pause();
  }
  // The vote window is over then, and everyone had three times as long as settling takes.
  const end = last + DURATION + TERMS.revealWindow + TERMS.voteWindow + 60;
  while ((await sandbox.chain.head()) < end) {
    await pause();
    if ((await deedsOnChain(sandbox)).settled === BOUNTIES) break;
  }
  return deedsOnChain(sandbox);
}

const pause = () => new Promise((resolve) => setTimeout(resolve, BLOCK_MS / 2));
