import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { isatty } from "node:tty";

/** Takes what it can at once. */
export interface Sink {
  /** How many bytes were taken, 0 when there is no room now. Throws when there is no reader any more. */
  write(bytes: Buffer): number;
}

/**
 * A descriptor whose reader may stand still: a pipe of a log driver, a terminal on which Ctrl-S was pressed. A file
 * takes everything.
 *
 * Whether writing blocks is a matter of the open file, which others share: `2>&1`, a child that inherited it, the shell
 * behind us. So a pipe or a terminal is opened anew, for us alone. A socket cannot be; it is switched for all of them,
 * as a pipe is that belongs to another user.
 */
export function openSink(fd: number): Sink {
  const own = nonBlocking(fd);
  return {
    write(bytes) {
      try {
        return writeSync(own, bytes);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
        throw error;
      }
    },
  };
}

function nonBlocking(fd: number): number {
  const kind = fstatSync(fd);
  const isPipe = kind.isFIFO();
  if (!isPipe && !kind.isSocket() && !isatty(fd)) return fd;
  if (!kind.isSocket()) {
    try {
      return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {
      // No such folder, or not ours to open: a terminal then stays as it is.
      if (!isPipe) return fd;
    }
  }
  SWITCHED.push(new Socket({ fd, readable: false, writable: true }).unref());
  return fd;
}

/** Never written to: Node has the system not block on what it makes a socket of, for as long as that lives. */
const SWITCHED: Socket[] = [];
