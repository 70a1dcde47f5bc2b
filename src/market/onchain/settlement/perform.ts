import type { StepResult } from "../../settlement.ts";
import type { Duty } from "./record/duty.ts";
import type { DutyContext } from "./record/duty-context.ts";
import { confirmPosting, giveUpPlanned, postAssertion, verifyPosting } from "./steps/post-assertion.ts";
import {
  confirmReveal,
  missReveal,
  publishMetadata,
  revealAssertion,
  verifyReveal,
} from "./steps/reveal-assertion.ts";
import { askQuorum, confirmSettling, settleBounty } from "./steps/settle-bounty.ts";

/** Does one duty about one bounty. Rejects when it could not even be tried. */
export async function perform(duty: Duty, context: DutyContext): Promise<StepResult> {
  switch (duty) {
    case "post":
      return postAssertion(context);
    case "confirm-post":
      return confirmPosting(context);
    case "verify-post":
      return verifyPosting(context);
    case "publish":
      return publishMetadata(context);
    case "reveal":
      return revealAssertion(context);
    case "confirm-reveal":
      return confirmReveal(context);
    case "verify-reveal":
      return verifyReveal(context);
    case "miss-reveal":
      return missReveal(context);
    case "ask-quorum":
      return askQuorum(context);
    case "settle":
      return settleBounty(context);
    case "confirm-settle":
      return confirmSettling(context);
    case "give-up":
      return giveUpPlanned(context);
    case "wait":
      return undefined;
  }
}
