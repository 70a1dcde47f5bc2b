import { formatNct } from "../../../../domain/nct.ts";
import type { DutyContext } from "../record/duty-context.ts";

/**
 * Our assertion is on the market, at this index. It is written down when the first source tells it: the receipt, the list, or
 * a reveal that the contract took. What is known already, or what came after the end, changes nothing.
 */
export function assertionFound(context: DutyContext, index: number): void {
  const { ledger, reservations, tell, key, assertion, recalled } = context;
  recalled.placed.resolve(index);
  reservations.spent(key.guid);
  const state = ledger.find(key)?.state;
  const { index: known = null, requestedMs } = ledger.assertion(key) ?? assertion;
  if (state === "planned" || state === "posting") ledger.recordAsserted(key, index);
  else if (known === null && (state === "revealing" || state === "revealed")) ledger.recordIndex(key, index);
  else {
    if (state === "asserted" && known !== index) ledger.recordAsserted(key, index);
    return;
  }
  tell("assertion.posted", {
    guid: key.guid,
    index,
    stake: formatNct(assertion.stake),
    ms: requestedMs ?? null,
  });
}
