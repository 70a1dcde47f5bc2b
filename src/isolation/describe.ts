import type { Logger } from "../observe/log.ts";
import type { BackendDescription } from "../scanners/contract.ts";
import { type ResolveOptions, resolveBackend } from "../scanners/registry.ts";
import { ScanWorker } from "./scan-worker.ts";

/**
 * Asks a scanner what it is called and what it accepts, in a process that ends afterwards. The scanner is set up only
 * where the options say so: its rules and services are where its consumers are.
 * Throws ConfigFault when the module cannot be used; the sentence is the scanner's own where it had one.
 */
export async function describeBackend(
  spec: string,
  options: ResolveOptions & { readonly log?: Logger; readonly setUp?: boolean } = {},
): Promise<BackendDescription & { readonly spec: string }> {
  const worker = await ScanWorker.start(resolveBackend(spec, options), { setUp: false, ...options });
  const description = worker.description;
  await worker.close();
  return { ...description, spec };
}
