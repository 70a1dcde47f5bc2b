import { createHash } from "node:crypto";
import { ScanWorker } from "../../src/isolation/scan-worker.ts";
import type { WorkerLimits } from "../../src/isolation/worker-limits.ts";
import type { ScannerSettings } from "../../src/scanners/contract.ts";
import { resolveBackend } from "../../src/scanners/registry.ts";

const never = new AbortController().signal;

/** One backend in a real worker process, asked about content as a consumer asks. */
export class ScannerWork implements AsyncDisposable {
  readonly worker: ScanWorker;

  private constructor(worker: ScanWorker) {
    this.worker = worker;
  }

  static async open(
    spec: string,
    settings: ScannerSettings = {},
    limits: Partial<WorkerLimits> = {},
  ): Promise<ScannerWork> {
    return new ScannerWork(
      await ScanWorker.start(resolveBackend(spec, { settings: { [spec]: settings } }), { limits }),
    );
  }

  scan(content: string | Uint8Array, { inMs = 30_000, types = ["text/plain"] } = {}) {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const request = { kind: "file" as const, bytes, sha256, types, claim: { raw: {} } };
    return this.worker.scan({ ...request, deadline: Date.now() + inMs }, never);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.close();
  }
}
