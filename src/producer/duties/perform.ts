import type { Duty } from "./record/duty.ts";
import type { DutyResult, Errand } from "./record/duty-context.ts";
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
export async function perform(duty: Duty, errand: Errand): Promise<DutyResult> {
  switch (duty) {
    case "post":
      return postAssertion(errand);
    case "confirm-post":
      return confirmPosting(errand);
    case "verify-post":
      return verifyPosting(errand);
    case "publish":
      return publishMetadata(errand);
    case "reveal":
      return revealAssertion(errand);
    case "confirm-reveal":
      return confirmReveal(errand);
    case "verify-reveal":
      return verifyReveal(errand);
    case "miss-reveal":
      return missReveal(errand);
    case "ask-quorum":
      return askQuorum(errand);
    case "settle":
      return settleBounty(errand);
    case "confirm-settle":
      return confirmSettling(errand);
    case "give-up":
      return giveUpPlanned(errand);
    case "wait":
      return undefined;
  }
}
