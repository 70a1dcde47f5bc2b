/**
 * A scan worker may be killed at any moment, and then it cannot kill the program that it runs. This shell outlives it by
 * an instant: it is told which process group is running, and kills that group when its input ends, because the worker is gone.
 */
import { spawn } from "node:child_process";

/** In the background, so that it is no child of the worker: those may be killed with it. */
const SCRIPT = `
  exec 3<&0
  {
    while read -r group; do last=$group; done
    [ -z "$last" ] || kill -s KILL -- "-$last"
  } <&3 3<&- &
`;

interface Reaper {
  start(): void;
  /** The group that must not outlive this process; `undefined` when it is gone. */
  watch(group: number | undefined): void;
  stop(): void;
}

/** Does nothing before `start`. */
export function createReaper(): Reaper {
  let shell: ReturnType<typeof spawn> | undefined;
  return {
    start() {
      // In a group of its own: what stops this process's group must not stop it.
      shell = spawn("/bin/sh", ["-c", SCRIPT], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
      shell.unref();
      // Without a shell the groups end at their deadlines, as long as this process is there to end them.
      shell.on("error", () => {});
      shell.stdin!.on("error", () => {});
    },
    watch(group) {
      shell?.stdin?.write(`${group ?? ""}\n`);
    },
    stop() {
      shell?.stdin?.end();
    },
  };
}
