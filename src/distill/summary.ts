import type { NoOpinionReason } from "../domain/scan.ts";
import { ppm, ratioOf } from "../domain/verdict.ts";
import type { Testimony } from "./contract.ts";

/** Reasons that are no failure: the backend did what it should and has nothing to say. */
const IN_ORDER: readonly NoOpinionReason[] = ["no-match", "undecided", "not-accepted"];

/** How many backends should have been heard and were not: those that gave no answer in time, and those that failed. */
export function missingFrom({ asked, answers }: Testimony): number {
  const silent = asked.filter((backend) => !answers.some((answer) => answer.backend === backend));
  const failed = answers.filter(({ reason }) => reason !== undefined && !IN_ORDER.includes(reason));
  return silent.length + failed.length;
}

/** "eicar malicious 1, yara unknown (timeout), clamav no answer", in the order in which they were asked. */
export function summarizeTestimony({ asked, answers }: Testimony): string {
  const heard = answers.map(({ backend }) => backend).filter((backend) => !asked.includes(backend));
  return [...asked, ...heard.sort()]
    .map((backend) => {
      const answer = answers.find((candidate) => candidate.backend === backend);
      if (answer === undefined) return `${backend} no answer`;
      const { verdict, confidence, reason } = answer;
      return `${backend} ${verdict}${verdict === "unknown" ? ` (${reason ?? "no reason"})` : ` ${ratioOf(ppm(confidence))}`}`;
    })
    .join(", ");
}
