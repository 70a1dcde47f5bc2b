/**
 * What a process counts, for Prometheus. One registry a process, made by its composition root; the metrics of the
 * process itself (CPU, memory, event loop) come with it. Names begin with `microengine_` and are kept like columns:
 * alerts hang on them.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { formatNct } from "../domain/nct.ts";
import { stderrOutput } from "./log-output.ts";

/** `role` labels every metric: "producer", "consumer". */
export function createRegistry(role: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry });
  const dropped = metricsOf(registry).counter(
    "log_lines_dropped_total",
    "Log lines dropped because the reader of the log stood still.",
  );
  collectedFrom(dropped, () => stderrOutput().dropped);
  return registry;
}

/** Makes a counter or a gauge without labels show what a function returns at each scrape. */
export function collectedFrom(metric: Counter | Gauge, value: () => number): void {
  Object.assign(metric, {
    collect: () => {
      metric.reset();
      metric.inc(value());
    },
  });
}

/** Makes metrics of one registry, each with the common prefix. */
export const metricsOf = (registry: Registry) => ({
  counter: <Label extends string = never>(name: string, help: string, labels: readonly Label[] = []) =>
    new Counter({ ...named(name, help, labels), registers: [registry] }),
  gauge: <Label extends string = never>(name: string, help: string, labels: readonly Label[] = []) =>
    new Gauge({ ...named(name, help, labels), registers: [registry] }),
  /** `buckets` are upper bounds, in the unit of the name. */
  histogram: <Label extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels: readonly Label[] = [],
  ) => new Histogram({ ...named(name, help, labels), buckets: [...buckets], registers: [registry] }),
});

const named = <Label extends string>(name: string, help: string, labels: readonly Label[]) => ({
  name: `microengine_${name}`,
  help,
  labelNames: labels,
});

/** NCT as Prometheus can hold it: a float, rounded; for curves and alerts, never to reckon with. */
export const nctNumber = (baseUnits: bigint): number => Number(formatNct(baseUnits));
