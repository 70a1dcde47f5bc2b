/**
 * On SIGUSR1 Node opens its debugger, and whatever connects to that can run any code. A scanner that was taken over
 * may signal every process of its user: those that listen to that signal themselves do not open it. `--inspect` still does.
 */
export function keepDebuggerShut(process: Pick<NodeJS.Process, "on">): void {
  process.on("SIGUSR1", () => {});
}
