import type { Measure } from "./measure.ts";

/** So many of what keeps a measure from its goal are told without being asked for. */
const SHOWN = 3;

const isMet = ({ offenders }: Measure): boolean => offenders.length === 0;

/** A few lines for each measure. */
export function report(measures: readonly Measure[]): string {
  const width = Math.max(0, ...measures.map(({ name }) => name.length));
  return measures
    .flatMap((measure) => {
      const { name, figures, goal, offenders } = measure;
      const head = `${name.padEnd(width)}  ${figures}`;
      if (goal === undefined) return [head];
      if (isMet(measure)) return [`${head}  (goal: ${goal}) ok`];
      const more = offenders.length - SHOWN;
      return [
        `${head}  (goal: ${goal}) ${offenders.length} to go`,
        ...offenders.slice(0, SHOWN).map((offender) => `${"".padEnd(width)}    ${offender}`),
        ...(more > 0 ? [`${"".padEnd(width)}    and ${more} more: --list ${name}`] : []),
      ];
    })
    .join("\n");
}
