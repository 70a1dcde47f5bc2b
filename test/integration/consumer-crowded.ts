/** A consumer that may open no more files, for a test: prints what it hears of a scanner that it starts then. */
import { openSync } from "node:fs";
import { type ConfigFault, describeError } from "../../src/domain/fault.ts";
import { ScanWorker } from "../../src/isolation/scan-worker.ts";
import { resolveBackend } from "../../src/scanners/registry.ts";

// What has to be loaded for it is loaded then.
await (await ScanWorker.start(resolveBackend("eicar"))).close();
try {
  for (;;) openSync("/dev/null", "r");
} catch {
  const failed: ConfigFault = await ScanWorker.start(resolveBackend("eicar")).then(
    () => Promise.reject(new Error("It has started.")),
    (error: ConfigFault) => error,
  );
  process.stdout.write(`${failed.code} ${describeError(failed)} ${failed.hint}`);
}
