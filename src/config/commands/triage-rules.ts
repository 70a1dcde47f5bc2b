/** The triage rules that the operator's settings and the backends in use add up to. */
import { ConfigFault, describeError } from "../../domain/fault.ts";
import { readTextFile } from "../../files/text-file.ts";
import { parseTriageFile } from "../../triage/rules-file.ts";
import type { BackendTerms, TriageRules } from "../../triage/triage.ts";
import type { ProducerConfig } from "./producer.ts";

export type TriageConfig = Pick<ProducerConfig, "triage" | "artifactType" | "maxArtifactSize" | "benign"> &
  Partial<Pick<ProducerConfig, "filter">>;

/** Throws ConfigFault when the triage file cannot be used, or it or `--benign` names a backend that is not in use. */
export async function readTriageRules(
  config: TriageConfig,
  backends: readonly BackendTerms[],
): Promise<TriageRules> {
  const names = backends.map(({ name }) => name);
  const stranger = config.benign.find(({ backend }) => !names.includes(backend))?.backend;
  if (stranger !== undefined) {
    throw new ConfigFault("BENIGN_UNKNOWN", `--benign names "${stranger}", which is not in use.`, {
      hint: `In use: ${names.join(", ")}.`,
    });
  }
  const file = config.triage === undefined ? undefined : await readRulesFile(config.triage, names);
  return {
    artifactKinds: config.artifactType,
    maxSizeBytes: Math.min(config.maxArtifactSize, file?.maxSizeBytes ?? Number.POSITIVE_INFINITY),
    backends: backends.map(({ name, accepts }) => ({ name, accepts })),
    routes: file?.routes ?? [],
    ...(config.filter === undefined ? {} : { filters: config.filter }),
    ...(file?.declaredTypes === undefined ? {} : { declaredTypes: file.declaredTypes }),
  };
}

/** Thousands of routes fit. */
const MAX_TRIAGE_BYTES = 4 * 1024 * 1024;

async function readRulesFile(path: string, backends: readonly string[]) {
  let text: string;
  try {
    text = await readTextFile(path, MAX_TRIAGE_BYTES);
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
