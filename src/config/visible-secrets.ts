import type { SettingsTable, Sources } from "./settings.ts";

/**
 * Flags that hold a secret. Whoever has an account on the machine can read the arguments of every process on it, and no
 * process can reliably take its own back.
 */
export const visibleSecrets = (table: SettingsTable, flags: Sources["flags"]): readonly string[] =>
  Object.values(table)
    .filter(({ flag, secret }) => {
      const given = flags[flag];
      if (secret === undefined || typeof given !== "string") return false;
      return secret === true || secret(given);
    })
    .map(({ flag }) => `--${flag}`);
