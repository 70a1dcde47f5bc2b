/** What shows the producer to others, together because it is loaded together: after what is due. */
export { EmbeddedMetrics } from "../../observe/embedded-metrics.ts";
export { checked, serveHealth } from "../../observe/health.ts";
export { LoopWatch } from "../../observe/loop-watch.ts";
export { createRegistry, nctNumber } from "../../observe/metrics.ts";
export { producerMetrics } from "../../observe/producer-metrics.ts";
export { countEvents } from "../events/event-metrics.ts";
