import { backendSettings } from "../../config/commands/backend-settings.ts";
import type { ProducerConfig } from "../../config/commands/producer.ts";
import { readTriageRules, type TriageConfig } from "../../config/commands/triage-rules.ts";
import { ConfigFault } from "../../domain/fault.ts";
import { describeBackend } from "../../isolation/describe.ts";
import type { Logger } from "../../observe/log.ts";
import type { TriageRules } from "../../triage/triage.ts";

/**
 * Asks every backend what it is called and what it takes, and makes the triage rules of that and the operator's file.
 * Backends are asked in processes of their own: their code never runs beside the wallet. Where the consumers are
 * embedded, a scanner that cannot be set up is found out here, once, and not by each of them.
 * Throws ConfigFault when a backend cannot be used, or as src/config/commands/triage-rules.ts does.
 */
export async function rulesForBackends(
  config: TriageConfig & Pick<ProducerConfig, "backend" | "embedded"> & Parameters<typeof backendSettings>[0],
  log: Logger,
): Promise<TriageRules> {
  const options = { log, settings: backendSettings(config), setUp: config.embedded > 0 };
  const described = await Promise.all(config.backend.map((spec) => describeBackend(spec, options)));
  const names = described.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new ConfigFault("BACKEND_DUPLICATE", `Two backends are called "${twice}".`, {
      hint: "The name of a scanner names its queue: give each its own.",
    });
  }
  return readTriageRules(config, described);
}
