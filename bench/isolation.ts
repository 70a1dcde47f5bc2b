/**
 * What it costs to scan in a process that can be killed: over calling the scanner, and over a message to another process
 * and back, all in the same run. Ends with exit code 1 when isolation costs 3 ms a scan or more.
 *
 *     node bench/isolation.ts
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { pino } from "pino";
import { NO_CLAIM } from "../src/domain/artifact.ts";
import { ScanPool } from "../src/isolation/scan-pool.ts";
import { scanner } from "../src/scanners/eicar.ts";
import { resolveBackend } from "../src/scanners/registry.ts";

const ROUNDS = 2_000;
const WARM_UP = 200;
const ALLOWED_MS = 3;
const never = new AbortController().signal;

const at = (sorted: readonly number[], part: number): number => sorted[Math.floor(part * sorted.length)]!;

/** By turns, so that whatever else the machine does meets all ways alike. */
async function timed<Way extends string>(ways: Record<Way, () => unknown>): Promise<Record<Way, number[]>> {
  const names = Object.keys(ways) as Way[];
  const samples = Object.fromEntries(names.map((way) => [way, [] as number[]])) as Record<Way, number[]>;
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const way of names) {
      const start = performance.now();
      await ways[way]();
      if (round >= WARM_UP) samples[way].push(performance.now() - start);
    }
  }
  for (const way of names) samples[way].sort((a, b) => a - b);
  return samples;
}

async function measure(sizeBytes: number): Promise<number> {
  const artifact = {
    kind: "file" as const,
    bytes: Buffer.alloc(sizeBytes, "A"),
    sha256: "",
    types: [],
    claim: NO_CLAIM,
  };
  await using pool = await ScanPool.open(resolveBackend("eicar"), {
    size: 1,
    log: pino({ level: "silent" }),
    limits: { maxScans: Number.POSITIVE_INFINITY },
  });
  const echo = fork(new URL("./echo-process.ts", import.meta.url), {
    serialization: "advanced",
    execArgv: [],
  });
  const context = { signal: never, deadline: Date.now() + 600_000 };
  const samples = await timed({
    called: () => scanner.scan({ ...artifact, path: async () => "" }, context),
    "message there and back": async () => {
      echo.send(artifact);
      await once(echo, "message");
    },
    "in a process of its own": () => pool.scan({ ...artifact, deadline: context.deadline }, never),
  });
  echo.disconnect();
  const { called, "message there and back": message } = samples;
  console.log(`A scan of ${sizeBytes} bytes, ${ROUNDS} times one after the other`);
  console.table(
    Object.fromEntries(
      Object.entries(samples).map(([way, sorted]) => [
        way,
        {
          "median ms": at(sorted, 0.5).toFixed(3),
          "p99 ms": at(sorted, 0.99).toFixed(3),
          "more than called": (at(sorted, 0.5) - at(called, 0.5)).toFixed(3),
          "of a message": (at(sorted, 0.5) / at(message, 0.5)).toFixed(2),
        },
      ]),
    ),
  );
  return at(samples["in a process of its own"], 0.5) - at(called, 0.5);
}

const costs = [await measure(1024), await measure(1024 * 1024)];
if (costs[0]! >= ALLOWED_MS) {
  console.error(`Isolation costs ${costs[0]!.toFixed(2)} ms a scan; ${ALLOWED_MS} ms are allowed.`);
  process.exitCode = 1;
}
