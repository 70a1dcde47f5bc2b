import type { BidStrategy } from "../../bid/contract.ts";
import { loadBidStrategy } from "../../bid/load.ts";
import type { ProducerConfig } from "../../config/commands/producer.ts";
import { serveContracts } from "../../config/contract-imports.ts";
import type { DistillEngine } from "../../distill/contract.ts";
import { loadDistillEngine } from "../../distill/load.ts";
import type { Logger } from "../../observe/log.ts";
import type { TriageRules } from "../../triage/triage.ts";
import { rulesForBackends } from "../process/backends.ts";

/** What the operator chose to answer with. */
export interface Prepared {
  readonly strategy: BidStrategy;
  readonly engine: DistillEngine;
  readonly rules: TriageRules;
}

/** Throws ConfigFault for what the operator can correct. */
export async function prepareAnswering(config: ProducerConfig, log: Logger): Promise<Prepared> {
  serveContracts();
  const strategy = await loadBidStrategy(config.bidStrategy);
  const engine = await loadDistillEngine(config.distill);
  return { strategy, engine, rules: await rulesForBackends(config, log) };
}
