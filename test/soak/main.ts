/**
 * The long form: memory after 5,000 scans must be within 20% of that after 500. Prints its figures, and ends with exit
 * code 1 when it is not, when a job was lost or when the consumer died.
 *
 *     npm run soak
 */
import { soak } from "./soak.ts";

const { early, late, course, outcomes, ...report } = await soak({ scans: 5_000, early: 500 });
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
console.log(JSON.stringify(report));
console.table(outcomes);
console.table({
  "consumer alone": {
    "MiB after 500": mib(early.consumer),
    "MiB after 5,000": mib(late.consumer),
    ratio: (late.consumer / early.consumer).toFixed(3),
  },
  "with its scanners": {
    "MiB after 500": mib(early.withScanners),
    "MiB after 5,000": mib(late.withScanners),
    ratio: (late.withScanners / early.withScanners).toFixed(3),
  },
});
console.log(
  `MiB with its scanners, every 500: ${course.map(({ withScanners }) => mib(withScanners)).join(" ")}`,
);
console.log(`MiB of the consumer alone: ${course.map(({ consumer }) => mib(consumer)).join(" ")}`);
const grown = late.withScanners > 1.2 * early.withScanners || late.consumer > 1.2 * early.consumer;
if (grown || report.answers !== 5_000 || report.consumers !== 1) {
  console.error("The consumer grew, died, or lost a job.");
  process.exitCode = 1;
}
