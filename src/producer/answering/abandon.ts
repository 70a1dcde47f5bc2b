import type { AbandonReason } from "../../domain/lifecycle.ts";

/** Ends the work on a bounty without a stake. */
export class Abandon extends Error {
  readonly why: AbandonReason;

  constructor(why: AbandonReason, detail = "") {
    super(detail);
    this.why = why;
  }
}
