import { processTerminal, readPassword } from "../../config/commands/password.ts";
import type { ProducerConfig } from "../../config/commands/producer.ts";
import { openKeystore, type UnlockedKey } from "../../wallet/keystore.ts";

/** The wallet's key; asks for its password at a terminal when none is configured. Throws as `openKeystore` does. */
export const unlockKey = (
  config: Pick<ProducerConfig, "keyfile" | "password" | "passwordFile">,
  signal: AbortSignal,
): Promise<UnlockedKey> =>
  openKeystore(config.keyfile, () => readPassword(config, processTerminal(), signal));
