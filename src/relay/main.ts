/** Composition root of `relay`: a forward proxy that leads to the gateway and to what the operator names, and nowhere else. */
import { once } from "node:events";
import type { RelayConfig } from "../config/commands/relay.ts";
import { ConfigFault, describeError } from "../domain/fault.ts";
import { parseGatewayAddress } from "../domain/gateway-address.ts";
import type { ProcessIo } from "../observe/process-io.ts";
import { destinationOf, readDestinations } from "./destinations.ts";
import { openRelay } from "./relay.ts";

/** Runs until the signal aborts; resolves to the exit code. Throws ConfigFault for what the operator can correct. */
export async function runRelay(config: RelayConfig, { log, signal, env }: ProcessIo): Promise<number> {
  const allowed = new Set([
    destinationOf(new URL(parseGatewayAddress(config.polyswarmdAddr))),
    ...readDestinations(config.allow),
  ]);
  await using relay = await openRelay({ allowed, env, log, host: config.httpHost, port: config.port }).catch(
    (cause: unknown) => {
      throw new ConfigFault(
        "RELAY_ADDRESS_UNUSABLE",
        `Nothing can be served on ${config.httpHost}:${config.port}: ${describeError(cause)}.`,
        { hint: "Choose another --port (RELAY_PORT) or --http-host (HTTP_HOST).", cause },
      );
    },
  );
  log.info({ port: relay.port, allowed: [...allowed] }, "relay.listening");
  if (!signal.aborted) await once(signal, "abort");
  log.info({}, "relay.stopped");
  return 0;
}
