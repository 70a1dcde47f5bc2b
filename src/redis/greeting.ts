import { once } from "node:events";
import { connect } from "node:net";
import { timeoutSignal } from "../async/long-timer.ts";
import type { Endpoint } from "./address.ts";

const GREET_WITHIN_MS = 1_000;
const GREETING_BYTES = 512;

/**
 * What a server says before it is asked anything, `""` for most: one in protected mode says so and hangs up, of which
 * ioredis tells no more than that the connection is closed. Never rejects.
 */
export async function readGreeting({ host, port }: Endpoint): Promise<string> {
  const socket = connect({ host, port });
  try {
    const [said] = await once(socket, "data", { signal: timeoutSignal(GREET_WITHIN_MS) });
    return Buffer.isBuffer(said) ? said.toString("latin1", 0, GREETING_BYTES) : "";
  } catch {
    return "";
  } finally {
    socket.destroy();
  }
}
