/** Answers that point elsewhere. None is followed: a key or a request's body would go to a host that is not configured. */

const MAX_SHOWN = 300;

/**
 * Where an answer leads to, for people: an absolute URL without query, user and password. `undefined` for an answer that
 * leads nowhere.
 */
export function redirectTarget(
  asked: string,
  { statusCode, location }: { readonly statusCode: number; readonly location: unknown },
): string | undefined {
  if (statusCode < 300 || statusCode > 399 || typeof location !== "string") return undefined;
  const url = URL.parse(location, asked);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  return `${url.origin}${url.pathname}`.slice(0, MAX_SHOWN);
}

/** The base address that a redirect of `base` + `path` leads to, when the path below it stayed the same. */
export function redirectedBase(target: string, path: string): string | undefined {
  const ending = path.replace(/\/$/, "");
  const start = target.replace(/\/$/, "");
  return start.endsWith(ending) ? start.slice(0, start.length - ending.length) : undefined;
}
