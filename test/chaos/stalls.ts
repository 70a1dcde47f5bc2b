import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Into this file of the folder stall-watch.ts writes. */
export const STALLS = "stalls.log";

/** How long the event loops of all producers stood still, from when each was ready. */
export interface Stalls {
  /** One every 10 ms. */
  readonly looks: number;
  readonly longestMs: number;
  /** Of one look in a thousand. */
  readonly p999Ms: number;
  /** The same from the first moment of each process on, while it loads its code. */
  readonly longestWhileStartingMs: number;
}

/** `text` is what stall-watch.ts wrote, `readyAt` when each producer said that it was ready, by its pid. */
export function sumUpStalls(text: string, readyAt: ReadonlyMap<number, number>): Stalls {
  let looks = 0;
  let longestWhileStartingMs = 0;
  const all: number[] = [];
  for (const line of text.split("\n")) {
    const [pid, at, looked, late = ""] = line.split(" ");
    if (at === undefined) continue;
    const times = late === "" ? [] : late.split(",").map(Number);
    // What was written down then began a second before, and that second may have been a long one.
    const isReady =
      Number(at) - 1_000 - times.reduce((sum, ms) => sum + ms, 0) >= (readyAt.get(Number(pid)) ?? Infinity);
    if (!isReady)
      longestWhileStartingMs = times.reduce((most, ms) => Math.max(most, ms), longestWhileStartingMs);
    if (!isReady) continue;
    looks += Number(looked);
    for (const ms of times) all.push(ms);
  }
  const worst = all.toSorted((a, b) => b - a);
  return {
    looks,
    longestMs: worst[0] ?? 0,
    p999Ms: worst[Math.floor(looks / 1_000)] ?? 0,
    longestWhileStartingMs,
  };
}

/** Of a folder with that file and the producers' logs. */
export function stallsIn(folder: string): Stalls {
  const read = (name: string): string => {
    const file = join(folder, name);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  };
  const readyAt = new Map<number, number>();
  for (const line of read("producer.log").split("\n")) {
    if (!line.includes('"producer.ready"')) continue;
    const { pid, time } = JSON.parse(line) as { readonly pid: number; readonly time: string };
    readyAt.set(pid, Date.parse(time));
  }
  return sumUpStalls(read(STALLS), readyAt);
}
