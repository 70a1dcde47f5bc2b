import { resolve } from "node:path";
import type { ScannerSettings } from "../scanners/contract.ts";
import type { scanning } from "./common.ts";
import type { ConfigOf } from "./settings.ts";

type BackendConfig = Partial<Pick<ConfigOf<typeof scanning>, "yaraRules">>;

/** What the operator set for each built-in backend, by its name. Paths are absolute: a scanner may work elsewhere. */
export function backendSettings({ yaraRules }: BackendConfig): Readonly<Record<string, ScannerSettings>> {
  return {
    yara: yaraRules === undefined ? {} : { rules: resolve(yaraRules) },
  };
}
