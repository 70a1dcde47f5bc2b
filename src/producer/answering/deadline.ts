import { type Instant, instant } from "../../domain/instant.ts";
import type { AnswerTimes } from "../../market/port.ts";

/**
 * The instant at which we answer with what we have: when there is still time to send it in comfort, but we keep at least half of
 * what time is left for scanning, and never pass the last instant that counts.
 */
export const answersDue = ({ last, comfortable }: AnswerTimes, now: Instant): Instant =>
  instant(Math.max(comfortable, Math.ceil(now + (last - now) / 2)));
