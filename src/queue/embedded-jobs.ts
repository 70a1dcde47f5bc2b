/**
 * The memory of the embedded queue: which jobs wait, which are being worked on, which are answered. No clock, no
 * processes, no I/O.
 *
 * States of a job: waiting -> running -> answered. Running -> waiting, ahead of all others, when its consumer died or
 * gave it back; its second death answers it `crashed`. Waiting -> answered `expired` at its deadline. Answered jobs
 * are remembered until they are forgotten, become old, or are too many.
 */
import type { Instant } from "../domain/chain.ts";
import type { ScanAnswer, ScanJob } from "../domain/scan.ts";
import { noOpinion } from "./no-opinion.ts";

/** As many starts as the queue on Redis grants a job whose consumers die under it. */
const MAX_STARTS_THAT_DIED = 2;
const KEEP_ANSWERS_MS = 3_600_000;
const KEEP_ANSWERS = 10_000;

interface Entry {
  readonly job: ScanJob;
  /** Order of dispatch, over all backends. */
  readonly order: number;
  deaths: number;
}

/** A backend's waiting jobs, in the order in which they are to be taken. */
interface Line {
  /** Started before, and not finished. */
  readonly again: Map<string, Entry>;
  readonly fresh: Map<string, Entry>;
}

export class EmbeddedJobs {
  readonly #lines = new Map<string, Line>();
  readonly #running = new Map<string, Entry>();
  readonly #answered = new Map<string, { readonly answer: ScanAnswer; readonly at: Instant }>();
  #order = 0;
  /** No waiting job has an earlier deadline. Stale on the low side until the next `expire` that finds it past. */
  #earliest: Instant | undefined;

  /** Ignores an id that is known already. */
  add(job: ScanJob): void {
    const { fresh, again } = this.#line(job.backend);
    const known = this.#answered.has(job.id) || this.#running.has(job.id);
    if (known || fresh.has(job.id) || again.has(job.id)) return;
    fresh.set(job.id, { job, order: this.#order++, deaths: 0 });
    this.#earliest = sooner(this.#earliest, job.deadline);
  }

  /** Makes the backend appear in the backlog. */
  know(backend: string): void {
    this.#line(backend);
  }

  /** Starts the job that has waited longest for one of these backends. */
  start(backends: readonly string[]): ScanJob | undefined {
    const heads = backends.map((backend) => first(this.#line(backend)));
    const next = heads
      .filter((head) => head !== undefined)
      .reduce<Entry | undefined>((a, b) => (a && before(a, b) ? a : b), undefined);
    if (next === undefined) return undefined;
    this.#unqueue(next.job);
    this.#running.set(next.job.id, next);
    return next.job;
  }

  /** Records the answer to a running job. False when it is not running: a stranger's answer. */
  answer(answer: ScanAnswer, now: Instant): boolean {
    if (!this.#running.delete(answer.jobId)) return false;
    this.#remember(answer, now);
    return true;
  }

  /** Puts a running job back in front of its line. */
  giveBack(jobId: string): void {
    const entry = this.#running.get(jobId);
    if (entry === undefined) return;
    this.#running.delete(jobId);
    this.#line(entry.job.backend).again.set(jobId, entry);
    this.#earliest = sooner(this.#earliest, entry.job.deadline);
  }

  /** The consumer of this running job died. Returns the answer when nobody shall try it again. */
  died(jobId: string, now: Instant): ScanAnswer | undefined {
    const entry = this.#running.get(jobId);
    if (entry === undefined) return undefined;
    entry.deaths++;
    if (entry.deaths < MAX_STARTS_THAT_DIED) {
      this.giveBack(jobId);
      return undefined;
    }
    this.#running.delete(jobId);
    const detail = `Nobody finished the scan: ${entry.deaths} consumers died of it.`;
    return this.#remember(noOpinion(entry.job, "crashed", detail, { consumer: "none" }), now);
  }

  /** Answers every waiting job whose deadline has come. */
  expire(now: Instant): ScanAnswer[] {
    if (this.#earliest === undefined || this.#earliest > now) return [];
    const waiting = this.#waiting().map(({ job }) => job);
    const { late = [], early = [] } = Object.groupBy(waiting, (job) =>
      job.deadline <= now ? "late" : "early",
    );
    this.#earliest = early.reduce<Instant | undefined>(
      (least, job) => sooner(least, job.deadline),
      undefined,
    );
    return late.map((job) => {
      this.#unqueue(job);
      const by = { consumer: "none", queuedMs: Math.max(0, now - job.dispatchedAt) };
      return this.#remember(
        noOpinion(job, "expired", "The deadline passed before a consumer took the job.", by),
        now,
      );
    });
  }

  /** The next moment at which `expire` may have something to do. */
  nextDeadline(): Instant | undefined {
    return this.#earliest;
  }

  answersTo(jobIds: readonly string[]): ScanAnswer[] {
    return jobIds.map((id) => this.#answered.get(id)?.answer).filter((answer) => answer !== undefined);
  }

  forget(jobIds: readonly string[]): void {
    for (const id of jobIds) {
      this.#answered.delete(id);
      for (const line of this.#lines.values()) if (!line.again.delete(id)) line.fresh.delete(id);
    }
  }

  backlog(): Record<string, number> {
    return Object.fromEntries(
      [...this.#lines].map(([backend, { again, fresh }]) => [backend, again.size + fresh.size]),
    );
  }

  #waiting(): Entry[] {
    return [...this.#lines.values()].flatMap(({ again, fresh }) => [...again.values(), ...fresh.values()]);
  }

  #line(backend: string): Line {
    const known = this.#lines.get(backend);
    if (known) return known;
    const line: Line = { again: new Map(), fresh: new Map() };
    this.#lines.set(backend, line);
    return line;
  }

  #unqueue(job: ScanJob): void {
    const { again, fresh } = this.#line(job.backend);
    if (!again.delete(job.id)) fresh.delete(job.id);
  }

  #remember(answer: ScanAnswer, now: Instant): ScanAnswer {
    this.#answered.set(answer.jobId, { answer, at: now });
    for (const [id, { at }] of this.#answered) {
      if (now - at <= KEEP_ANSWERS_MS && this.#answered.size <= KEEP_ANSWERS) break;
      this.#answered.delete(id);
    }
    return answer;
  }
}

const first = ({ again, fresh }: Line): Entry | undefined =>
  again.values().next().value ?? fresh.values().next().value;

const sooner = (a: Instant | undefined, b: Instant): Instant => (a !== undefined && a < b ? a : b);

const before = (a: Entry, b: Entry): boolean =>
  a.deaths === b.deaths ? a.order < b.order : a.deaths > b.deaths;
