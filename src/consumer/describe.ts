import type { Logger } from "../observe/log.ts";
import type { BackendDescription } from "../scanners/contract.ts";
import { resolveBackend } from "../scanners/registry.ts";
import { ScanWorker } from "./scan-worker.ts";

/**
 * What a backend is called and what it accepts, asked of the scanner itself in a process that ends afterwards.
 * Throws ConfigFault when the backend cannot be used; the sentence is the scanner's own where it had one.
 */
export async function describeBackend(
  spec: string,
  options: { readonly log?: Logger; readonly cwd?: string } = {},
): Promise<BackendDescription & { readonly spec: string }> {
  const worker = await ScanWorker.start(resolveBackend(spec, options.cwd), options);
  const description = worker.description;
  await worker.close();
  return { ...description, spec };
}
