import { resolve } from "node:path";
import type { ScannerSettings } from "../../scanners/contract.ts";
import type { ConfigOf } from "../values/settings.ts";
import type { scanning } from "./common.ts";

type BackendConfig = Partial<
  Pick<
    ConfigOf<typeof scanning>,
    "yaraRules" | "yaraSkipBroken" | "clamd" | "clamdHost" | "clamdPort" | "clamdMaxSize"
  >
>;

/** What the operator set for each built-in backend, by its name. Paths are absolute: a scanner may work elsewhere. */
export function backendSettings(config: BackendConfig): Readonly<Record<string, ScannerSettings>> {
  const {
    yaraRules,
    yaraSkipBroken: skipBroken = false,
    clamd,
    clamdHost: host,
    clamdPort: port,
    clamdMaxSize: completeBytes,
  } = config;
  return {
    clamav: { ...(clamd === undefined ? { host, port } : { address: clamd }), completeBytes },
    yara: yaraRules === undefined ? {} : { rules: resolve(yaraRules), skipBroken },
  };
}
