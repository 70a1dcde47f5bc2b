/**
 * /healthz, /readyz and /metrics over HTTP.
 *
 * `/healthz` fails when a restart would help, `/readyz` while work should not be sent here: a gateway that is
 * down makes a producer unready, not unhealthy. Both answer 200 or 503 with every check by name.
 */
import { fastify } from "fastify";
import type { Registry } from "prom-client";
import { ConfigFault, describeError, Fault } from "../domain/fault.ts";
import type { Logger } from "./log.ts";

/** Every check by name; healthy when all are. */
export type Health = Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>;

/** A check that failed for the reason given, or went well. */
export const healthCheck = (trouble: string | undefined): Health[string] =>
  trouble === undefined ? { ok: true } : { ok: false, detail: trouble };

export interface HealthOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly log: Logger;
  live(): Health | Promise<Health>;
  ready(): Health | Promise<Health>;
  /** The registry, and what to bring up to date in it before each scrape. */
  readonly metrics: Registry;
  refresh?(): void | Promise<void>;
  /** Metrics of others, as Prometheus reads them, shown behind its own. */
  others?(): Promise<string>;
}

export interface HealthServer extends AsyncDisposable {
  /** The port that is served on. */
  readonly port: number;
}

/** Throws ConfigFault when the address cannot be served on. */
export async function serveHealth(options: HealthOptions): Promise<HealthServer> {
  const { host, log, metrics } = options;
  // A process that ends does not wait for requests: an unfinished one would keep it alive.
  const server = fastify({ forceCloseConnections: true });
  for (const [path, look] of [
    ["/healthz", () => options.live()],
    ["/readyz", () => options.ready()],
  ] as const) {
    server.get(path, async (_request, reply) => {
      const checks = await outcome(look);
      const ok = Object.values(checks).every((check) => check.ok);
      return reply.code(ok ? 200 : 503).send({ ok, checks });
    });
  }
  server.get("/metrics", async (_request, reply) => {
    try {
      await options.refresh?.();
    } catch (error) {
      // Half of the numbers are better than none.
      log.warn({ reason: describeError(error) }, "metrics.stale");
    }
    const others = (await options.others?.().catch(() => "")) ?? "";
    return reply.type(metrics.contentType).send(`${await metrics.metrics()}${others}`);
  });
  try {
    await server.listen({ host, port: options.port });
  } catch (error) {
    await server.close();
    throw listenFault(error, options);
  }
  const bound = server.server.address();
  const port = bound !== null && typeof bound === "object" ? bound.port : options.port;
  log.info({ host, port }, "http.listening");
  return { port, [Symbol.asyncDispose]: async () => server.close() };
}

async function outcome(look: () => Health | Promise<Health>): Promise<Health> {
  try {
    return await look();
  } catch (error) {
    return { checks: { ok: false, detail: describeError(error) } };
  }
}

function listenFault(cause: unknown, { host, port }: HealthOptions): Fault {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const sentence = `Cannot serve health and metrics on ${host}:${port}: `;
  switch (code) {
    case "EADDRINUSE":
      return new ConfigFault("HTTP_PORT_BUSY", `${sentence}another program does.`, {
        hint: "Choose another --http-port (variable HTTP_PORT); 0 takes any free one.",
        cause,
      });
    case "EACCES":
      return new ConfigFault("HTTP_PORT_DENIED", `${sentence}the system does not allow that port.`, {
        hint: "Choose --http-port (variable HTTP_PORT) above 1023.",
        cause,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new ConfigFault("HTTP_HOST", `${sentence}this machine has no such address.`, {
        hint: "Choose another --http-host (variable HTTP_HOST), such as 127.0.0.1 or 0.0.0.0.",
        cause,
      });
    default:
      return new Fault("HTTP_LISTEN", `${sentence}${describeError(cause)}`, { cause });
  }
}
