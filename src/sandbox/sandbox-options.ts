import type { Address } from "../domain/address.ts";
import type { Clock } from "../domain/instant.ts";
import type { Nct } from "../domain/nct.ts";
import type { Logger } from "../observe/log.ts";
import type { RealHabits } from "./gateway/shared/as-real.ts";

/** What a local marketplace is like. */
export interface SandboxOptions {
  readonly blockTimeMs: number;
  /** Blocks in which a bounty takes assertions, 1 to 100. */
  readonly durationBlocks: number;
  /** Blocks. */
  readonly revealWindow: number;
  /** Blocks. */
  readonly voteWindow: number;
  readonly arbiters: number;
  readonly rivals: number;
  /** 0 to 1. */
  readonly rivalAccuracy: number;
  /** On every artifact. */
  readonly rivalStakeNct: Nct;
  readonly bountyIntervalMs: number;
  /** How many the ambassador posts; without it there is no end. */
  readonly bounties?: number;
  readonly artifactsPerBounty: number;
  /** For a bounty. */
  readonly rewardNct: Nct;
  /**
   * When the ambassador begins: at once, when the first engine listens to the events, or when told by `open`. A stream
   * has no history: an engine that comes late misses the first bounties. Default `at-once`.
   */
  readonly opens?: "at-once" | "when-heard" | "when-told";
  /** Holds `malicious/` and `benign/`; without it, files of this machine with and without the EICAR test string. */
  readonly artifactsDir?: string;
  /** Holds other contracts with the same ABI. */
  readonly contractsDir?: string;
  readonly host?: string;
  /** 0 takes any free one. */
  readonly port?: number;
  readonly basePath?: string;
  readonly apiKeys?: readonly string[];
  /** Default 33 MiB. */
  readonly maxArtifactBytes?: number;
  /** The gateway is as slow and as odd as the real one. Default: it is neither. */
  readonly asReal?: RealHabits;
  /** Makes the choice of artifacts and the rivals' luck the same again. */
  readonly seed: number;
  /** Makes the GUIDs the same again, too. Default a run of its own, so that no engine remembers them from an earlier one. */
  readonly run?: string;
  /** Accounts that are given NCT at the start. */
  readonly fund?: readonly Address[];
  /** Gets a funded wallet: `keyfile` and `password`, made when absent. */
  readonly walletDir?: string;
  readonly logger: Logger;
  readonly clock?: Clock;
}
