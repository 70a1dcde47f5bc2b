/**
 * Ends every process of the group that `leader` is or was the first of; what is dead already stays so. A process that
 * went into a session of its own (`setsid`) is in no group but its own, and is not reached.
 */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // No process is left in it.
  }
}
