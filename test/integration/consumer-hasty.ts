/** A consumer that ends the moment its scanner has crashed, for a test. */
import { fileURLToPath } from "node:url";
import { ScanWorker } from "../../src/isolation/scan-worker.ts";
import { resolveBackend } from "../../src/scanners/registry.ts";

const puppet = fileURLToPath(new URL("../fixtures/scanners/puppet.ts", import.meta.url));
const worker = await ScanWorker.start(resolveBackend(puppet));
const artifact = {
  kind: "file",
  bytes: Buffer.from("exit"),
  sha256: "",
  types: [],
  claim: { raw: {} },
} as const;
const { kind } = await worker.scan(
  { ...artifact, deadline: Date.now() + 60_000 },
  new AbortController().signal,
);
process.exit(kind === "crashed" ? 0 : 1);
