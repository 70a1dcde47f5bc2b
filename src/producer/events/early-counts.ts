import type { ProducerMetrics } from "../../observe/producer-metrics.ts";

type Count = (metrics: ProducerMetrics) => void;

/** Counts what happens before there are metrics, which are loaded after what is due. */
export class EarlyCounts {
  readonly #early: Count[] = [];
  #metrics: ProducerMetrics | undefined;

  use(count: Count): void {
    if (this.#metrics === undefined) this.#early.push(count);
    else count(this.#metrics);
  }

  begin(metrics: ProducerMetrics): void {
    this.#metrics = metrics;
    for (const count of this.#early.splice(0)) count(metrics);
  }
}
