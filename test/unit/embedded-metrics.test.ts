import { EventEmitter, once } from "node:events";
import { expect, it } from "vitest";
import { consumerMetrics } from "../../src/observe/consumer-metrics.ts";
import { EmbeddedMetrics, sayMetrics } from "../../src/observe/embedded-metrics.ts";
import { createRegistry } from "../../src/observe/metrics.ts";
import { producerMetrics } from "../../src/observe/producer-metrics.ts";

/** A consumer that has answered so often, and whose backend is up or down, as its producer hears it. */
async function consumer(theirs: EmbeddedMetrics, answers: number, up: number): Promise<EventEmitter> {
  const child = theirs.follow(new EventEmitter());
  const registry = createRegistry("consumer");
  const metrics = consumerMetrics(registry);
  metrics.answers.inc({ backend: "eicar", verdict: "malicious", reason: "" }, answers);
  const heard = once(child, "message");
  const refresh = () => metrics.backendUp.set({ backend: "eicar" }, up);
  using _said = sayMetrics(registry, refresh, (message) => child.emit("message", structuredClone(message)));
  await heard;
  return child;
}

it("shows what embedded consumers count with what their producer counts, added up, each name once", async () => {
  const own = createRegistry("producer");
  producerMetrics(own);
  const theirs = new EmbeddedMetrics();
  expect(await theirs.text(own)).toBe("");
  const [first] = await Promise.all([consumer(theirs, 2, 1), consumer(theirs, 3, 0)]);
  first.emit("message", { kind: "metrics", metrics: "nonsense" });
  first.emit("message", { kind: "answer" });
  const text = await theirs.text(own);
  expect(text).toMatch(/^microengine_answers_total\{.*backend="eicar".*\} 5$/m);
  expect(text).toMatch(/^microengine_answers_total\{.*role="consumer".*\} 5$/m);
  expect(text).toMatch(/^microengine_backend_up\{.*backend="eicar".*\} 0$/m);
  const named = [...`${await own.metrics()}${text}`.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(named.length).toBe(new Set(named).size);
  first.emit("exit");
  expect(await theirs.text(own)).toMatch(/^microengine_answers_total\{.*\} 3$/m);
});
