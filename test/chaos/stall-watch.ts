/**
 * Loaded into a producer before its own code (`node --import`): looks every 10 ms whether the event loop runs, and writes
 * down each second, into the file `CHAOS_STALLS`, how often it looked and the milliseconds by which it was late. What was
 * not written when a kill came is at most a second. The producer itself knows nothing of it.
 */
import { appendFileSync } from "node:fs";

const LOOK_EVERY_MS = 10;
const WRITE_EVERY_MS = 1_000;

function watchStalls(file: string): void {
  let looks = 0;
  let late: number[] = [];
  let last = performance.now();
  let writtenAt = last;
  setInterval(() => {
    const now = performance.now();
    const lateMs = Math.round(now - last - LOOK_EVERY_MS);
    last = now;
    looks++;
    if (lateMs >= LOOK_EVERY_MS) late.push(lateMs);
    if (now - writtenAt < WRITE_EVERY_MS) return;
    writtenAt = now;
    appendFileSync(file, `${process.pid} ${Date.now()} ${looks} ${late.join(",")}\n`);
    looks = 0;
    late = [];
  }, LOOK_EVERY_MS).unref();
}

// Its children inherit what it was started with: consumers and scans hold no deadlines of ours.
if (process.env.CHAOS_STALLS !== undefined && process.argv.includes("producer")) {
  watchStalls(process.env.CHAOS_STALLS);
}
