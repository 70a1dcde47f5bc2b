import { type Guid, uintToGuid } from "../../domain/guid.ts";
import type { Specimen } from "../samples/corpus.ts";
import type { Dice } from "./dice.ts";

/** What the ambassador leaves to chance. */
export interface DrawOptions {
  /** At least one specimen; malicious and benign ones are drawn equally often where there are both. */
  readonly corpus: readonly Specimen[];
  readonly artifactsPerBounty: number;
  /** 0 to 1: how many bounties are about URLs where the corpus has both. */
  readonly urlShare?: number;
}

const URL_SHARE = 0.25;

/** As many specimens of one kind as a bounty takes; the same one may come twice. */
export function drawSpecimens(options: DrawOptions, chance: Dice): Specimen[] {
  const files = options.corpus.filter((specimen) => specimen.kind === "file");
  const urls = options.corpus.filter((specimen) => specimen.kind === "url");
  const aboutUrls = chance.ratio() < (options.urlShare ?? URL_SHARE);
  const pool = files.length === 0 || (aboutUrls && urls.length > 0) ? urls : files;
  return Array.from({ length: options.artifactsPerBounty }, () => {
    const malicious = chance.ratio() < 0.5;
    const side = pool.filter((specimen) => specimen.malicious === malicious);
    const drawn = side.length > 0 ? side : pool;
    return drawn[chance.below(drawn.length)]!;
  });
}

/** 128 random bits in the version 4 form of a UUID: the reference client misprints any other. */
export function drawGuid(chance: Dice): Guid {
  const bits = chance.integer(16);
  const version = (bits & ~(0xfn << 76n)) | (0x4n << 76n);
  return uintToGuid((version & ~(0x3n << 62n)) | (0x2n << 62n));
}
