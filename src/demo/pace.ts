/**
 * How fast the demo's marketplace goes. Its windows are a few blocks, so on a machine that is busy with other work its
 * blocks are longer: the engine, its consumers, the chain and all other players share what is left of the processors.
 */

/** A block on a machine with nothing else to do. Milliseconds. */
const QUICK_BLOCK_MS = 1_000;
/** Beyond this the demo would take a quarter of an hour. Milliseconds. */
const SLOW_BLOCK_MS = 6_000;
/** A process that is given this share of a processor keeps up with quick blocks. */
const ENOUGH = 0.7;

/**
 * The length of a block in whole milliseconds, from the share of a processor that a process gets that wants all of it:
 * 1 on a quiet machine, 0.1 where twenty others want the same two processors.
 */
export function blockMsAt(share: number): number {
  const slower = ENOUGH / Math.max(share, 0.01);
  return Math.round(Math.min(SLOW_BLOCK_MS, Math.max(QUICK_BLOCK_MS, QUICK_BLOCK_MS * slower)));
}

/** Milliseconds of real time that `measureShare` works. Schedulers hand out slices of some milliseconds. */
const MEASURED_MS = 400;

/** The share of a processor that this process gets when it wants all of it, between 0 and 1. Blocks the event loop. */
export function measureShare(): number {
  const before = process.cpuUsage();
  const start = performance.now();
  let elapsed = 0;
  while (elapsed < MEASURED_MS) elapsed = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  return Math.min(1, (user + system) / 1_000 / elapsed);
}

/** How busy the machine is, for people; undefined when blocks are as quick as they can be. */
export function paceNote(blockMs: number, seconds: number): string | undefined {
  if (blockMs === QUICK_BLOCK_MS) return undefined;
  const pace = `blocks take ${(blockMs / 1_000).toFixed(1)} seconds instead of 1`;
  return `This machine is busy with other work: ${pace},\nand all of it about ${Math.ceil(seconds / 60)} minutes.`;
}
