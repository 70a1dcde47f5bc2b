/**
 * A scanner in an endless loop never notices that its consumer was killed. A shell beside it does, because its own input
 * ends then: it kills the scanner's process with the programs that one started, and removes its files.
 */
import { spawn } from "node:child_process";

const SCRIPT = `
  read -r word
  [ "$word" = released ] && exit
  kill -s KILL -- "-$1"
  rm -rf -- "$2"
`;

/** Guards a process group until the returned function is called, which is for when that is gone and its files are. */
export function guard(leader: number, directory: string): () => void {
  const shell = spawn("/bin/sh", ["-c", SCRIPT, "sh", String(leader), directory], {
    // In a group of its own: what stops this process's group must not stop it.
    detached: true,
    cwd: "/",
    env: { PATH: process.env.PATH },
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.unref();
  // Without a shell, a scanner that is left alone still ends with its scan.
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  return () => shell.stdin.end("released\n");
}
