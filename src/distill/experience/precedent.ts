import type { PastAnswer, SettledArtifact } from "../../domain/settled.ts";
import type { Silence } from "../../domain/silence.ts";
import type { Ppm } from "../../domain/verdict.ts";
import { type Statement, statementOf } from "./statement.ts";
import { type TypeClass, typeClassOf } from "./type-class.ts";

/** A settled artifact as it is counted. */
export interface Precedent {
  readonly truth: 0 | 1;
  readonly typeClass: TypeClass;
  readonly statements: readonly Statement[];
}

/** What can be learned from: artifacts that a backend made a statement about. */
export const precedentsOf = (history: readonly SettledArtifact[], silence: Silence): readonly Precedent[] =>
  history.flatMap(({ malicious, types, answers }) => {
    const statements = statementsOf(answers, silence(types));
    if (statements.length === 0) return [];
    return [{ truth: malicious ? 1 : 0, typeClass: typeClassOf(types), statements }];
  });

/** In the order of the backends' names, so that the order of the answers makes no difference. */
export const statementsOf = (
  answers: readonly PastAnswer[],
  silence: ReadonlyMap<string, Ppm>,
): readonly Statement[] =>
  answers
    .flatMap((answer) => statementOf(answer, silence) ?? [])
    .sort((a, b) => (a.backend < b.backend ? -1 : a.backend > b.backend ? 1 : 0));
