import type { Logger } from "../../../observe/log.ts";
import type { Chain } from "../../chain/chain.ts";
import type { ArtifactStore } from "../../content/store.ts";
import type { RealHabits } from "./as-real.ts";

/** What every route of the gateway works with. */
export interface GatewayContext {
  readonly chain: Chain;
  readonly store: ArtifactStore;
  /** The largest artifact that may be uploaded or fetched. */
  readonly maxArtifactBytes: number;
  /** How often a receipt is asked for while a transaction is waited for. */
  readonly receiptPollMs: number;
  /** How long a transaction may take to be mined, plus one block, before its receipt is given up. */
  readonly receiptTimeoutMs: number;
  /** The real gateway's slowness and quirks; undefined without them. */
  readonly asReal: RealHabits | undefined;
  /** Undefined when no key is required. */
  readonly apiKeys: ReadonlySet<string> | undefined;
  /** Aborts when the gateway closes, so that no request waits for a receipt any longer. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}
