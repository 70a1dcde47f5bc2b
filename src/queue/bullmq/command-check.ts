/**
 * Whether Redis does what the queue needs of it. An open connection does not tell: the user may not be allowed to EVAL,
 * a replica takes no writes, a full server none either, and one that hangs says nothing at all. So a script that writes
 * and reads keys of the queue is run every two seconds.
 *
 *     unasked ──► taken ◄──► in trouble (why)
 *
 * One check at a time. It ends by itself within three seconds; without a connection it is not sent, and ends at once.
 * Asked for while one runs, another follows it: the running one may have been sent on a connection that is gone by now.
 */
import { settledWithin } from "../../async/within.ts";
import { describeRedisError, isUsable, type RedisClient } from "../../redis/client.ts";

const CHECK_EVERY_MS = 2_000;
const ANSWER_WITHIN_MS = 3_000;

const OUT_OF_REACH = "Redis is out of reach.";

interface CommandCheckOptions<Answer> {
  readonly redis: RedisClient;
  /** Sends the script. */
  send(): Promise<Answer>;
  onTaken?(answer: Answer): void;
  /** Redis can be reached and did not do it. Called at each check. */
  onRefused?(why: string): void;
}

export class CommandCheck<Answer> {
  readonly #options: CommandCheckOptions<Answer>;
  #trouble: string | undefined = "Redis was not asked yet.";
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: CommandCheckOptions<Answer>) {
    this.#options = options;
  }

  /** What is wrong, in a sentence. */
  trouble(): string | undefined {
    return isUsable(this.#options.redis) ? this.#trouble : OUT_OF_REACH;
  }

  /** Checks now, and from then on at intervals. Never rejects. */
  run(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    if (this.#running !== undefined) {
      this.#again = true;
      return this.#running;
    }
    clearTimeout(this.#timer);
    this.#running = this.#checkUntilDone().finally(() => {
      this.#running = undefined;
      if (this.#stopped) return;
      this.#timer = setTimeout(() => void this.run(), CHECK_EVERY_MS);
      this.#timer.unref();
    });
    return this.#running;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #checkUntilDone(): Promise<void> {
    do {
      this.#again = false;
      await this.#check();
    } while (this.#again && !this.#stopped);
  }

  async #check(): Promise<void> {
    const { redis, onTaken } = this.#options;
    if (!isUsable(redis)) {
      this.#trouble = OUT_OF_REACH;
      return;
    }
    try {
      const sent = this.#options.send();
      if (!(await settledWithin(ANSWER_WITHIN_MS, sent))) {
        this.#refused("Redis is silent.");
        return;
      }
      const answer = await sent;
      this.#trouble = undefined;
      if (!this.#stopped) onTaken?.(answer);
    } catch (error) {
      this.#refused(describeRedisError(error));
    }
  }

  #refused(why: string): void {
    const { redis, onRefused } = this.#options;
    const reachable = isUsable(redis);
    this.#trouble = reachable ? `Redis does not do what it is asked: ${why}` : OUT_OF_REACH;
    if (reachable && !this.#stopped) onRefused?.(why);
  }
}
