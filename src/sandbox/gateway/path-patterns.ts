/** Remembers the router's paths, to tell a wrong method (405) from an unknown path (404). */
interface PathPatterns {
  /** `url` as the router takes it: `:name` or `:name(^expression$)` for a segment. */
  add(url: string): void;
  match(path: string): boolean;
}

export function pathPatterns(): PathPatterns {
  const patterns: RegExp[] = [];
  return {
    add(url) {
      const source = url.replaceAll(
        /:\w+(?:\(\^(.*?)\$\))?/g,
        (_, expression?: string) => expression ?? "[^/]+",
      );
      patterns.push(new RegExp(`^${source}$`));
    },
    match: (path) => patterns.some((pattern) => pattern.test(path)),
  };
}
