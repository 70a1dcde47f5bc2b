import type { StepSlots } from "../../market/settlement.ts";
import { RankedTasks } from "./ranked-tasks.ts";

type Slots = Readonly<Record<string, StepSlots>>;

/** The slots of each kind, for steps that are done a few at a time. Kinds wait for nothing but their own. */
export class DutySlots {
  readonly #plan: Slots;
  readonly #tasks: ReadonlyMap<string, RankedTasks>;

  constructor(plan: Slots) {
    this.#plan = plan;
    this.#tasks = new Map(
      Object.entries(plan).map(([kind, { steps, count }]) => [kind, new RankedTasks(count, steps.length)]),
    );
  }

  /** The kind of slots that a step needs; undefined for what begins at once. */
  kindOf(step: string): string | undefined {
    return Object.keys(this.#plan).find((kind) => this.#plan[kind]?.steps.includes(step));
  }

  /** The task must not reject. It begins at once when a slot of the kind is free. */
  run(kind: string, step: string, task: () => Promise<void>): void {
    this.#tasks.get(kind)?.run(this.#plan[kind]?.steps.indexOf(step) ?? 0, task);
  }

  /** Forgets what has not begun. */
  clear(): void {
    for (const tasks of this.#tasks.values()) tasks.clear();
  }
}
