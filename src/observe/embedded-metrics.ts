/**
 * The metrics of consumers that a producer runs as its children, for its own /metrics. Each child says every few seconds what it
 * counts, over the channel that it has to its producer anyway; what a child said last is shown as long as it lives.
 * Counts are added up over the children. What a process is (CPU, memory) is left out: it has one at a time to be true of.
 */
import { AggregatorRegistry, type Registry } from "prom-client";
import { z } from "zod";

const PREFIX = "microengine_";
const SAY_EVERY_MS = 2_000;
/** More metrics than a consumer has. */
const MOST = 200;

/** As prom-client writes a registry in JSON; as much of it as is added up. */
const Said = z.object({
  kind: z.literal("metrics"),
  metrics: z
    .array(
      z.object({
        name: z.string().startsWith(PREFIX),
        help: z.string(),
        type: z.string(),
        aggregator: z.string(),
        values: z.array(
          z.looseObject({
            value: z.number(),
            labels: z.record(z.string(), z.union([z.string(), z.number()])),
          }),
        ),
      }),
    )
    .max(MOST),
});
type Metrics = z.infer<typeof Said>["metrics"];

/** Of two children one may be down: these are as good as the worst; of these each child has the whole. */
const ADDED_UP_AS: Readonly<Record<string, string>> = {
  [`${PREFIX}backend_up`]: "min",
  [`${PREFIX}queue_up`]: "min",
  [`${PREFIX}scanner_value`]: "max",
};

/** What is needed of a child process. */
interface Child {
  on(event: "message", listener: (message: unknown) => void): unknown;
  once(event: "exit", listener: () => void): unknown;
}

export class EmbeddedMetrics {
  readonly #said = new Map<Child, Metrics>();

  /** The same child, listened to. */
  follow<C extends Child>(child: C): C {
    child.on("message", (message) => {
      const said = Said.safeParse(message).data;
      if (said !== undefined) this.#said.set(child, said.metrics);
    });
    child.once("exit", () => this.#said.delete(child));
    return child;
  }

  /** As Prometheus reads it, without what `own` has by the same name. */
  async text(own: Registry): Promise<string> {
    const taken = new Set(own.getMetricsAsArray().map(({ name }) => name));
    const theirs = [...this.#said.values()].map((metrics) => metrics.filter(({ name }) => !taken.has(name)));
    if (theirs.length === 0) return "";
    return await AggregatorRegistry.aggregate(theirs).metrics();
  }
}

/** The child's side: says what it counts until it is disposed of. `refresh` brings the registry up to date. */
export function sayMetrics(
  registry: Registry,
  refresh: () => void,
  send: (message: object) => void,
): Disposable {
  const say = async (): Promise<void> => {
    refresh();
    const all = (await registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith(PREFIX));
    const metrics = all.map((metric) => ({
      ...metric,
      aggregator: ADDED_UP_AS[metric.name] ?? "sum",
    }));
    send({ kind: "metrics", metrics });
  };
  const timer = setInterval(() => void say().catch(() => {}), SAY_EVERY_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
