import type { ProducerConfig } from "../config/producer.ts";
import { type TriageConfig, readTriageRules as triageRulesFrom } from "../config/triage-rules.ts";
import { describeBackend } from "../consumer/describe.ts";
import { ConfigFault } from "../domain/fault.ts";
import type { Logger } from "../observe/log.ts";
import type { TriageRules } from "../triage/triage.ts";

/**
 * Asks every backend what it is called and what it takes, and makes the triage rules of that and the operator's file.
 * Backends are asked in processes of their own: their code never runs beside the wallet.
 * Throws ConfigFault when a backend cannot be used, or as src/config/triage-rules.ts does.
 */
export async function readTriageRules(
  config: TriageConfig & Pick<ProducerConfig, "backend">,
  log: Logger,
): Promise<TriageRules> {
  const described = await Promise.all(config.backend.map((spec) => describeBackend(spec, { log })));
  const names = described.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new ConfigFault("BACKEND_DUPLICATE", `Two backends are called "${twice}".`, {
      hint: "The name of a scanner names its queue: give each its own.",
    });
  }
  return triageRulesFrom(config, described);
}
