/**
 * The memory of the embedded queue: which jobs wait, which are being worked on, which are answered. No clock, no
 * processes, no I/O.
 *
 * States of a job: waiting -> running -> answered. Running -> waiting when its consumer died or gave it back;
 * its second death answers it `crashed`. Waiting -> answered `expired` at its deadline. Answered jobs
 * are remembered until they are forgotten, become old, or are too many.
 */

import { lowest } from "../../domain/extremes.ts";
import type { Instant } from "../../domain/instant.ts";
import type { ScanAnswer, ScanJob } from "../../domain/scan.ts";
import { answerWithoutOpinion } from "../answer-without-opinion.ts";

/** As many starts as the queue on Redis grants a job whose consumers die under it. */
const MAX_STARTS_THAT_DIED = 2;
const KEEP_ANSWERS_MS = 3_600_000;
const KEEP_ANSWERS = 10_000;

interface Entry {
  readonly job: ScanJob;
  deaths: number;
}

export class EmbeddedJobs {
  /** By backend, nearest deadline first. */
  readonly #waiting = new Map<string, Entry[]>();
  readonly #running = new Map<string, Entry>();
  readonly #answered = new Map<string, { readonly answer: ScanAnswer; readonly at: Instant }>();

  /** Ignores an id that is known already. */
  add(job: ScanJob): void {
    const known = this.#answered.has(job.id) || this.#running.has(job.id);
    if (known || this.#line(job.backend).some((entry) => entry.job.id === job.id)) return;
    this.#enqueue({ job, deaths: 0 });
  }

  /** Makes the backend appear in the backlog. */
  know(backend: string): void {
    this.#line(backend);
  }

  /** Starts the job of these backends that has the nearest deadline. */
  start(backends: readonly string[]): ScanJob | undefined {
    const lines = backends.map((backend) => this.#line(backend)).filter((line) => line.length > 0);
    const [line] = lines.sort((a, b) => headDeadline(a) - headDeadline(b));
    const next = line?.shift();
    if (next) this.#running.set(next.job.id, next);
    return next?.job;
  }

  /** Records the answer to a running job. False when it is not running: a stranger's answer. */
  answer(answer: ScanAnswer, now: Instant): boolean {
    if (!this.#running.delete(answer.jobId)) return false;
    this.#remember(answer, now);
    return true;
  }

  /** Lets a running job wait again. */
  giveBack(jobId: string): void {
    const entry = this.#running.get(jobId);
    if (entry === undefined) return;
    this.#running.delete(jobId);
    this.#enqueue(entry);
  }

  /** The consumer of this running job died. Returns the answer when it is not to be tried again. */
  died(jobId: string, now: Instant): ScanAnswer | undefined {
    const entry = this.#running.get(jobId);
    if (entry === undefined) return undefined;
    entry.deaths++;
    if (entry.deaths < MAX_STARTS_THAT_DIED) {
      this.giveBack(jobId);
      return undefined;
    }
    this.#running.delete(jobId);
    const detail = `No consumer finished the scan: ${entry.deaths} consumers died of it.`;
    return this.#remember(answerWithoutOpinion(entry.job, "crashed", detail, { consumer: "none" }), now);
  }

  /** Answers every waiting job whose deadline has come. */
  expire(now: Instant): ScanAnswer[] {
    const late: ScanAnswer[] = [];
    for (const line of this.#waiting.values()) {
      for (let head = line[0]; head && head.job.deadline <= now; head = line[0]) {
        line.shift();
        const by = { consumer: "none", queuedMs: Math.max(0, now - head.job.dispatchedAt) };
        const detail = "The deadline passed before a consumer took the job.";
        late.push(this.#remember(answerWithoutOpinion(head.job, "expired", detail, by), now));
      }
    }
    return late;
  }

  /** The next moment at which `expire` has something to do; Infinity when nothing waits. */
  nextDeadline(): number {
    return lowest(this.#waiting.values().map(headDeadline));
  }

  answersTo(jobIds: readonly string[]): ScanAnswer[] {
    return jobIds.map((id) => this.#answered.get(id)?.answer).filter((answer) => answer !== undefined);
  }

  /** Waiting and answered jobs with these ids are unknown from here on. */
  forget(jobIds: readonly string[]): void {
    const ids = new Set(jobIds);
    for (const id of ids) this.#answered.delete(id);
    for (const [backend, line] of this.#waiting) {
      this.#waiting.set(
        backend,
        line.filter((entry) => !ids.has(entry.job.id)),
      );
    }
  }

  backlog(): Record<string, number> {
    return Object.fromEntries([...this.#waiting].map(([backend, line]) => [backend, line.length]));
  }

  #line(backend: string): Entry[] {
    const known = this.#waiting.get(backend);
    if (known) return known;
    const line: Entry[] = [];
    this.#waiting.set(backend, line);
    return line;
  }

  /** Behind the jobs with the same deadline: first come, first served. */
  #enqueue(entry: Entry): void {
    const line = this.#line(entry.job.backend);
    const before = line.findLastIndex((other) => other.job.deadline <= entry.job.deadline);
    line.splice(before + 1, 0, entry);
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

const headDeadline = (line: readonly Entry[]): number => line[0]?.job.deadline ?? Number.POSITIVE_INFINITY;
