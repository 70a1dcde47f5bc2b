import { readFile } from "node:fs/promises";
import type { ProducerConfig } from "../config/producer.ts";
import { describeBackend } from "../consumer/describe.ts";
import { ConfigFault, describeError } from "../domain/fault.ts";
import type { Logger } from "../observe/log.ts";
import { parseTriageFile } from "../triage/rules-file.ts";
import type { TriageRules } from "../triage/triage.ts";

/**
 * Asks every backend what it is called and what it takes, and makes the triage rules of that and the operator's file.
 * Backends are asked in processes of their own: their code never runs beside the wallet.
 * Throws ConfigFault when a backend or the file cannot be used, or `--benign` names a backend that is not in use.
 */
export async function readTriageRules(
  config: Pick<ProducerConfig, "backend" | "triage" | "artifactType" | "maxArtifactSize" | "benign"> &
    Partial<Pick<ProducerConfig, "filter">>,
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
  const stranger = config.benign.find(([backend]) => !names.includes(backend))?.[0];
  if (stranger !== undefined) {
    throw new ConfigFault("BENIGN_UNKNOWN", `--benign names "${stranger}", which is not in use.`, {
      hint: `In use: ${names.join(", ")}.`,
    });
  }
  const file = config.triage === undefined ? undefined : await readRulesFile(config.triage, names);
  return {
    artifactKinds: config.artifactType,
    maxSizeBytes: Math.min(config.maxArtifactSize, file?.maxSizeBytes ?? Number.POSITIVE_INFINITY),
    backends: described.map(({ name, accepts }) => ({ name, accepts })),
    routes: file?.routes ?? [],
    ...(config.filter === undefined ? {} : { filters: config.filter }),
    ...(file?.declaredTypes === undefined ? {} : { declaredTypes: file.declaredTypes }),
  };
}

async function readRulesFile(path: string, backends: readonly string[]) {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new ConfigFault(
      "TRIAGE_FILE_UNREADABLE",
      `The triage file cannot be read: ${describeError(cause)}.`,
      {
        hint: "--triage (variable TRIAGE) names it.",
        cause,
      },
    );
  }
  return parseTriageFile(text, path, backends);
}
