import type { Branded } from "../../../domain/brand.ts";

export type BlockNumber = Branded<number, "BlockNumber">;
export const block = (number: number): BlockNumber => number as BlockNumber;
