/**
 * What a producer may do by its standing: whether it has the wallet's lease.
 *
 *     unasked ──the lease is ours, or none is needed──► leased ◄──it is free again──┐
 *        └──Redis is away, or another has it──► apart ◄──another has it─────────────┘
 *
 * - `unasked`  Redis did not answer yet: only what would be lost otherwise is done, as a reveal that is due.
 * - `apart`    without the lease: what was promised is kept, and nothing new is promised.
 * - `leased`   everything.
 *
 * Another producer may work with the same wallet while we are not `leased`. Both take account nonces then, and a node
 * refuses the later of two transactions with the same one, which is signed anew. Decision 22 says why no stake is lost by it.
 */
import type { StepTraits } from "../../market/settlement.ts";

export type Standing = "unasked" | "apart" | "leased";

export function mayDo(standing: Standing, kind: StepTraits["kind"]): boolean {
  if (standing === "leased") return true;
  return standing === "apart" ? kind !== "promise" : kind === "save";
}
