/**
 * ClamAV's daemon as a backend. A clamd that is down stops nothing: every scan says so until it is back, and the next one
 * after that is scanned.
 */
import { resolve } from "node:path";
import { z } from "zod";
import { ConfigFault } from "../../domain/fault.ts";
import type { Finding, Scanner, ScannerSettings } from "../contract.ts";
import { CLAMD_PORT, type ClamdAddress, parseClamdAddress } from "./address.ts";
import { askClamd, streamToClamd } from "./client.ts";
import { type ClamdVersion, findingOfReply, readVersion } from "./verdict.ts";

/** As `backendSettings` of src/config writes them; every one may be left out. */
const SettingsShape = z.strictObject({
  /** Host, host and port, or unix socket. */
  address: z.string().exactOptional(),
  /** Instead of an address. */
  host: z.string().default("localhost"),
  port: z.int().min(1).max(65_535).default(CLAMD_PORT),
  /** clamd's MaxFileSize, and its default. */
  completeBytes: z
    .int()
    .positive()
    .default(100 * 1024 * 1024),
});

/** Throws ConfigFault CLAMD_ADDRESS_INVALID or CLAMD_SETTINGS_INVALID. */
export function scanner(given: ScannerSettings): Scanner {
  const { address, completeBytes } = readSettings(given);
  let version: ClamdVersion | undefined;

  async function ask(signal: AbortSignal): Promise<void> {
    version = readVersion(await askClamd(address, "VERSION", signal));
  }

  return {
    name: "clamav",
    version: "1.0.0",
    async scan({ bytes }, { signal }): Promise<Finding> {
      // Asked by `check` now and then; only a worker that just started does not know it yet.
      if (version === undefined) await ask(signal);
      const reply = await streamToClamd(address, bytes, signal);
      const finding = findingOfReply(reply, { sizeBytes: bytes.length, completeBytes });
      return { ...finding, metadata: { ...finding.metadata, scanner: version } };
    },
    check: ask,
  };
}

function readSettings(given: ScannerSettings): { address: ClamdAddress; completeBytes: number } {
  const checked = SettingsShape.safeParse(given);
  if (!checked.success) {
    const { path, message } = checked.error.issues[0]!;
    throw new ConfigFault(
      "CLAMD_SETTINGS_INVALID",
      `The setting ${path.join(".")} of clamav is wrong (${message}).`,
    );
  }
  const { address, host, port, completeBytes } = checked.data;
  if (address === undefined) return { address: { host, port }, completeBytes };
  const parsed = parseClamdAddress(address);
  // Now: scans are made in folders of their own.
  return { address: "path" in parsed ? { path: resolve(parsed.path) } : parsed, completeBytes };
}
