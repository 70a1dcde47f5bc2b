/** Nodes by name, with the names each leads to. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** The graph of these arrows; one that leads to its own beginning is none. */
export function graphOf(arrows: Iterable<readonly [string, string]>): Graph {
  const graph = new Map<string, Set<string>>();
  for (const [from, to] of arrows) {
    const targets = graph.get(from) ?? new Set();
    graph.set(from, targets);
    if (from !== to) targets.add(to);
  }
  return graph;
}

/** Sets of nodes that each lead to all others of their set, in two nodes or more. */
export function ringsOf(graph: Graph): readonly (readonly string[])[] {
  const reached = new Map([...graph.keys()].map((node) => [node, reach(graph, node)]));
  const taken = new Set<string>();
  const rings: string[][] = [];
  for (const [node, others] of reached) {
    if (taken.has(node)) continue;
    const ring = [...others].filter((other) => reached.get(other)?.has(node) === true);
    if (!ring.includes(node)) continue;
    for (const member of ring) taken.add(member);
    rings.push(ring.toSorted());
  }
  return rings;
}

function reach(graph: Graph, start: string): ReadonlySet<string> {
  const found = new Set(graph.get(start));
  for (const node of found) for (const next of graph.get(node) ?? []) found.add(next);
  return found;
}

/** Pairs that lead to each other, each once. */
export function pairsOf(graph: Graph): readonly (readonly [string, string])[] {
  return [...graph].flatMap(([from, targets]) =>
    [...targets]
      .filter((to) => from < to && graph.get(to)?.has(from) === true)
      .map((to) => [from, to] as const),
  );
}
