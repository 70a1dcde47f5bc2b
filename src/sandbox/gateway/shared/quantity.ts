import { z } from "zod";

/** An integer as a node's JSON-RPC writes it: `0x` and hex digits. */
export const Quantity = z
  .string()
  .regex(/^0x[0-9a-f]+$/i)
  .transform(BigInt);
