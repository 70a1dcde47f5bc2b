import { bayes } from "./bayes.ts";
import type { DistillEngine } from "./contract.ts";
import { lean } from "./lean.ts";
import { any, majority } from "./votes.ts";

export const BUILT_IN_ENGINES: readonly DistillEngine[] = [bayes, lean, any, majority];
