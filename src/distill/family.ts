import type { ScanAnswer } from "../domain/scan.ts";
import { ppm, type Verdict } from "../domain/verdict.ts";

/** The family that the most confident backend names which agrees with the verdict; "" when none does. */
export function agreedFamily(answers: readonly ScanAnswer[], verdict: Verdict): string {
  const sides: readonly Verdict[] = verdict === "benign" ? ["benign"] : ["malicious", "suspicious"];
  const [best] = answers
    .filter((answer) => sides.includes(answer.verdict) && (answer.family ?? "") !== "")
    .toSorted(
      (a, b) =>
        sides.indexOf(a.verdict) - sides.indexOf(b.verdict) ||
        ppm(b.confidence) - ppm(a.confidence) ||
        compare(a.backend, b.backend) ||
        compare(a.family!, b.family!),
    );
  return best?.family ?? "";
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
