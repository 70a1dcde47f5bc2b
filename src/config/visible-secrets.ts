import type { SettingsTable, Sources } from "./values/settings.ts";

/**
 * Flags that hold a secret. Every account on the machine can read the arguments of every process, until that process
 * overwrites them; the arguments of the npm or the shell that started it stay.
 */
export const visibleSecrets = (table: SettingsTable, flags: Sources["flags"]): readonly string[] =>
  Object.values(table)
    .filter(({ flag, secret }) => {
      const given = flags[flag];
      if (secret === undefined || typeof given !== "string") return false;
      return secret === true || secret(given);
    })
    .map(({ flag }) => `--${flag}`);
