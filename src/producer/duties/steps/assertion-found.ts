import { formatNct } from "../../../domain/nct.ts";
import type { Errand } from "../record/duty-context.ts";

/**
 * Our assertion is on the market, at this index. Whoever learns it first writes it down: the receipt, the list, or a
 * reveal that the contract took. What is known already, or what came after the end, changes nothing.
 */
export function assertionFound(errand: Errand, index: number): void {
  const { books, purse, tell, key, assertion, recalled } = errand;
  recalled.placed.resolve(index);
  purse.spent(key.guid);
  const state = books.find(key)?.state;
  const { index: known = null, requestedMs } = books.assertion(key) ?? assertion;
  if (state === "planned" || state === "posting") books.recordAsserted(key, index);
  else if (known === null && (state === "revealing" || state === "revealed")) books.recordIndex(key, index);
  else {
    if (state === "asserted" && known !== index) books.recordAsserted(key, index);
    return;
  }
  tell("assertion.posted", {
    ...{ guid: key.guid, index, stake: formatNct(assertion.stake) },
    ms: requestedMs ?? null,
  });
}
