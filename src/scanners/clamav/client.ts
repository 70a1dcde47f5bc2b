/**
 * A client of clamd, one connection a command: a clamd that was restarted is simply connected to again, and an idle
 * session cannot run into its timeouts. Commands are the NUL-terminated ones (`zINSTREAM`), so a reply ends with NUL.
 * Source: clamd(8).
 */

import { connect } from "node:net";
import { timeoutSignal } from "../../async/long-timer.ts";
import { describeError, Fault } from "../../domain/fault.ts";
import { type ClamdAddress, formatClamdAddress } from "./address.ts";

/** Replies are one line; what says more is no clamd. */
const MAX_REPLY_BYTES = 16 * 1024;
/** A clamd that minds the length of a stream says so at once. */
const REFUSAL_MS = 1_000;

/** Asks a command without content, such as VERSION. Throws Fault CLAMD_UNREACHABLE, CLAMD_REPLY or CLAMD_OVERDUE. */
export async function askClamd(address: ClamdAddress, command: string, signal: AbortSignal): Promise<string> {
  return converse(address, signal, [Buffer.from(`z${command}\0`)]);
}

/**
 * Streams content to clamd and returns its reply. Throws as `askClamd` does.
 *
 * All content is one chunk, because clamd holds the announced length of a chunk against its StreamMaxLength before it reads
 * it. When that is exceeded it replies and hangs up, and our write fails before we have read the reply. After
 * that we announce the length once more, and send nothing else.
 */
export async function streamToClamd(
  address: ClamdAddress,
  content: Uint8Array,
  signal: AbortSignal,
): Promise<string> {
  const command = Buffer.from("zINSTREAM\0");
  const end = uint32(0);
  if (content.length === 0) return converse(address, signal, [command, end]);
  const length = uint32(content.length);
  try {
    return await converse(address, signal, [command, length, content, end]);
  } catch (fault) {
    if (!isHangUp(fault)) throw fault;
    // Silence: the length is not what it minds.
    const soon = AbortSignal.any([signal, timeoutSignal(REFUSAL_MS)]);
    return converse(address, soon, [command, length]).catch(() => {
      throw fault;
    });
  }
}

const isHangUp = (error: unknown): boolean =>
  error instanceof Fault && ["EPIPE", "ECONNRESET"].includes((error.cause as { code?: string })?.code ?? "");

/** Says something and returns the reply, which may come before everything is said. */
async function converse(
  address: ClamdAddress,
  signal: AbortSignal,
  said: readonly Uint8Array[],
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
  socket.cork();
  for (const part of said) socket.write(part);
  socket.uncork();
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.destroy();
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function unreachable(address: ClamdAddress, error: Error): Fault {
  const sentence = `clamd at ${formatClamdAddress(address)} cannot be used: ${describeError(error)}.`;
  return new Fault("CLAMD_UNREACHABLE", sentence, { cause: error, retryable: true });
}

const odd = (address: ClamdAddress, how: string): Fault =>
  new Fault("CLAMD_REPLY", `The reply of clamd at ${formatClamdAddress(address)} ${how}.`, {
    retryable: true,
  });

const overdue = (address: ClamdAddress): Fault =>
  new Fault("CLAMD_OVERDUE", `clamd at ${formatClamdAddress(address)} did not reply in time.`);
