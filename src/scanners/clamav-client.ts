/**
 * A client of clamd, one connection a command: a clamd that was restarted is simply connected to again, and an idle
 * session cannot run into its timeouts. Commands are the NUL-terminated ones (`zINSTREAM`), so a reply ends with NUL.
 * Source: clamd(8).
 */
import { connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describeError, Fault } from "../domain/fault.ts";
import { type ClamdAddress, formatClamdAddress } from "./clamav-address.ts";

/** clamd reads chunk by chunk; its StreamMaxLength counts the whole. */
const CHUNK_BYTES = 256 * 1024;
/** Replies are one line; whoever says more is no clamd. */
const MAX_REPLY_BYTES = 16 * 1024;

/** Asks a command without content, such as VERSION. Throws Fault CLAMD_UNREACHABLE, CLAMD_REPLY or CLAMD_OVERDUE. */
export async function askClamd(address: ClamdAddress, command: string, signal: AbortSignal): Promise<string> {
  return converse(address, signal, async (socket) => {
    socket.write(`z${command}\0`);
  });
}

/**
 * Streams content to clamd and returns its reply. clamd replies to content beyond its StreamMaxLength before it has read
 * all of it and hangs up; that reply is returned like any other. Throws as `askClamd` does.
 */
export async function streamToClamd(
  address: ClamdAddress,
  content: Uint8Array,
  signal: AbortSignal,
): Promise<string> {
  return converse(address, signal, async (socket, replied) => {
    socket.write("zINSTREAM\0");
    for (let at = 0; at < content.length; at += CHUNK_BYTES) {
      const chunk = content.subarray(at, at + CHUNK_BYTES);
      socket.write(uint32(chunk.length));
      if (!socket.write(chunk)) await Promise.race([drained(socket), replied]);
      // Reads before the next write: a write into a connection that was hung up on destroys the reply.
      await nextTurn();
      if (socket.destroyed) return;
    }
    socket.write(uint32(0));
  });
}

async function converse(
  address: ClamdAddress,
  signal: AbortSignal,
  say: (socket: Socket, replied: Promise<unknown>) => Promise<void>,
): Promise<string> {
  if (signal.aborted) throw overdue(address);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(address);
  let heard = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
    const end = heard.indexOf(0);
    if (end !== -1) resolve(heard.toString("utf8", 0, end).trim());
    else if (heard.length > MAX_REPLY_BYTES) reject(odd(address, "goes on without end"));
  });
  socket.on("error", (error) => reject(unreachable(address, error)));
  socket.on("close", () =>
    reject(odd(address, heard.length === 0 ? "ended before it began" : "ended in the middle")),
  );
  const onAbort = (): void => reject(overdue(address));
  signal.addEventListener("abort", onAbort, { once: true });
  // Not waited for: the reply may come before everything is said, and is what counts.
  const saying = say(
    socket,
    promise.catch(() => {}),
  );
  saying.catch(reject);
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.destroy();
  }
}

const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once("drain", resolve).once("close", () => resolve());
  });

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function unreachable(address: ClamdAddress, error: Error): Fault {
  // A name with several addresses fails with all their errors and no message of its own.
  const reason = error instanceof AggregateError ? error.errors[0] : error;
  const sentence = `clamd at ${formatClamdAddress(address)} cannot be used: ${describeError(reason)}.`;
  return new Fault("CLAMD_UNREACHABLE", sentence, { cause: error, retryable: true });
}

const odd = (address: ClamdAddress, how: string): Fault =>
  new Fault("CLAMD_REPLY", `The reply of clamd at ${formatClamdAddress(address)} ${how}.`, {
    retryable: true,
  });

const overdue = (address: ClamdAddress): Fault =>
  new Fault("CLAMD_OVERDUE", `clamd at ${formatClamdAddress(address)} did not reply in time.`);
