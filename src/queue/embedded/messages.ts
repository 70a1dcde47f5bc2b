/**
 * What the embedded queue's processes say to each other over IPC. Jobs and answers inside are the codec's; a message
 * that is none of these is passed over, so that a consumer may use the channel for its own ends too.
 */
import { z } from "zod";
import type { RateAnswer, RateLimits } from "../../domain/rate-limit.ts";
import type { WireAnswer, WireJob } from "../job-codec.ts";
import type { ServeOptions } from "../port.ts";

export type ToConsumer =
  | { readonly kind: "job"; readonly job: WireJob }
  /** What became of the use with this number. */
  | { readonly kind: "used"; readonly use: number; readonly answer: RateAnswer }
  /** Finish what you have, then leave. */
  | { readonly kind: "drain" };

export type ToProducer =
  /** Ready to take jobs of these backends, so many at a time. */
  | ({ readonly kind: "serve"; readonly backends: readonly string[] } & Pick<
      ServeOptions,
      "concurrency" | "perBackend"
    >)
  | { readonly kind: "answer"; readonly jobId: string; readonly answer: WireAnswer }
  /** Taken but not worked on: for another consumer. */
  | { readonly kind: "returned"; readonly jobId: string }
  /** May this be done once more? Numbered by the consumer that asks. */
  | {
      readonly kind: "use";
      readonly use: number;
      readonly name: string;
      readonly limits: RateLimits;
      readonly how: "take" | "peek";
    }
  /** Wants no more jobs. */
  | { readonly kind: "draining" };

const window = z.enum(["second", "minute", "hour", "day"]);

const ToConsumerRead = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("job"), job: z.unknown() }),
  z.object({
    kind: z.literal("used"),
    use: z.int(),
    answer: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("granted") }),
      z.object({ kind: z.literal("refused"), window, opensInS: z.number() }),
      z.object({ kind: z.literal("unknown"), why: z.string() }),
    ]),
  }),
  z.object({ kind: z.literal("drain") }),
]);

const ToProducerRead = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("serve"),
    backends: z.array(z.string().min(1)),
    concurrency: z.number().int().positive(),
    perBackend: z.number().int().positive().exactOptional(),
  }),
  z.object({ kind: z.literal("answer"), jobId: z.string(), answer: z.unknown() }),
  z.object({ kind: z.literal("returned"), jobId: z.string() }),
  z.object({
    kind: z.literal("use"),
    use: z.int(),
    name: z.string(),
    limits: z.partialRecord(window, z.int().nonnegative()),
    how: z.enum(["take", "peek"]),
  }),
  z.object({ kind: z.literal("draining") }),
]);

export const readToConsumer = (message: unknown): z.infer<typeof ToConsumerRead> | undefined =>
  ToConsumerRead.safeParse(message).data;

export const readToProducer = (message: unknown): z.infer<typeof ToProducerRead> | undefined =>
  ToProducerRead.safeParse(message).data;
