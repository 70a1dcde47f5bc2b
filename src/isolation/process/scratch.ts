import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../domain/fault.ts";

/**
 * The folder that a scan works in: relative names and temporary files lead there, also those of programs that it starts.
 * Empty when a scan begins, unless the artifact was laid there for it. Most scans leave it empty, too, and then the next
 * one has it: to make and to remove a folder takes longer than all else about a scan of a small file.
 */
export class Scratch {
  readonly #home: string;
  #folder: string;
  /** Of the scan that is going on. */
  #scan: number | undefined;
  /** The folder of the scan before, in which nothing was left. */
  #empty: string | undefined;

  /** `home`: the worker's own folder. */
  constructor(home: string) {
    this.#home = home;
    this.#folder = home;
  }

  /** For scan `id`; `given` is the folder when there is one already. */
  enter(id: number, given?: string): void {
    this.#scan = id;
    this.#folder = given ?? this.#empty ?? join(this.#home, String(id));
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    workIn(this.#folder);
  }

  /** Writes the artifact of scan `id` into the folder, and returns its path. Throws Fault SCAN_OVER: the folder may be another's by then. */
  async write(id: number, bytes: Uint8Array): Promise<string> {
    if (id !== this.#scan) throw new Fault("SCAN_OVER", "The scan is over");
    const path = join(this.#folder, "artifact");
    await writeFile(path, bytes, { mode: 0o600 });
    return path;
  }

  /** Whatever is in it is gone then. */
  leave(): void {
    this.#scan = undefined;
    this.#empty = undefined;
    try {
      workIn(this.#home);
      if (readdirSync(this.#folder).length === 0) this.#empty = this.#folder;
      else rmSync(this.#folder, { recursive: true, force: true });
    } catch {
      // What may not be removed now goes with the process.
    }
  }
}

function workIn(folder: string): void {
  process.chdir(folder);
  process.env.TMPDIR = folder;
}
