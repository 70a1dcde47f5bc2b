import { once } from "node:events";
import { createServer } from "node:net";
import { ConfigFault } from "../../domain/fault.ts";

/**
 * Throws a ConfigFault when it is not possible to listen there now. A command that starts much before it listens asks
 * this first, and must still expect to be refused later.
 */
export async function refuseBusyPort(host: string, port: number): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  try {
    await once(server.listen({ host, port }), "listening");
  } catch (cause) {
    throw listenFault(host, port, cause);
  }
  server.close();
  await once(server, "close");
}

/** What to tell the operator when listening failed; the error itself when that is not their affair. */
export function listenFault(host: string, port: number, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) return cause;
  const why = code === "EADDRINUSE" ? "another program has it" : code;
  return new ConfigFault("GATEWAY_ADDRESS", `The gateway cannot listen on ${host}:${port}: ${why}.`, {
    hint: "Choose another --port (variable SANDBOX_PORT), or 0 for any free one.",
    cause,
  });
}
