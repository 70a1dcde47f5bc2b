import { LOG_LEVELS, type ProcessLog } from "../observe/log.ts";
import type { Told } from "./board.ts";

/** Fields that the log of the demo has of its own. */
const OWN = ["level", "time", "pid", "name", "msg"];

/** Writes entries of the engine's log into the demo's, at the level they have, marked as the engine's. */
export function engineLog(log: ProcessLog): (told: Told) => void {
  const engine = log.child({ from: "engine" });
  return (told) => {
    const level = LOG_LEVELS.find((name) => name === told.level);
    if (level === undefined || level === "silent") return;
    const facts = Object.fromEntries(Object.entries(told).filter(([field]) => !OWN.includes(field)));
    engine[level](facts, told.msg);
  };
}
