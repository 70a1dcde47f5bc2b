/**
 * A consumer of its own process, for a test to kill: tells where its worker is and keeps files, has it
 * start a program that connects to the socket of its argument if there is one, then has it spin for ever.
 */
import { fileURLToPath } from "node:url";
import { ScanWorker } from "../../src/isolation/scan-worker.ts";
import { createLogger } from "../../src/observe/log.ts";
import { resolveBackend } from "../../src/scanners/registry.ts";

const puppet = fileURLToPath(new URL("../fixtures/scanners/puppet.ts", import.meta.url));
// What the scanner prints is logged to stderr, where the test learns that it spins.
const log = createLogger({ level: "debug", format: "json", name: "orphan" });
const worker = await ScanWorker.start(resolveBackend(puppet), { log, limits: { channelBytes: 1 } });
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
const metadata = async (word: string): Promise<object> => {
  const outcome = await scan(word);
  return outcome.kind === "finding" ? (outcome.finding as { metadata: object }).metadata : outcome;
};
const [, , socket] = process.argv;
if (socket !== undefined) await scan(`program\n${socket}`);
process.send?.({ metadata: { ...(await metadata("path")), ...(await metadata("pid")) } });
await scan("spin");
