/** A consumer of its own process, for a test to kill: sends the worker's process id, then has it spin for ever. */
import { fileURLToPath } from "node:url";
import { ScanWorker } from "../../src/consumer/scan-worker.ts";

const spec = fileURLToPath(new URL("../fixtures/scanners/puppet.ts", import.meta.url));
const worker = await ScanWorker.start({
  spec,
  moduleUrl: new URL("../fixtures/scanners/puppet.ts", import.meta.url).href,
});
const scan = (word: string) =>
  worker.scan(
    {
      kind: "file",
      bytes: Buffer.from(word),
      sha256: "",
      types: [],
      claim: { raw: {} },
      deadline: Date.now() + 60_000,
    },
    new AbortController().signal,
  );
const outcome = await scan("pid");
process.send?.(outcome.kind === "finding" ? outcome.finding : outcome);
await scan("spin");
