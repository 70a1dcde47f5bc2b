/** Works on at most `limit` items at a time and yields what comes of them in their order. `work` must not reject. */
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const underWay: Promise<R>[] = [];
  for await (const item of items) {
    underWay.push(work(item));
    if (underWay.length >= limit) yield await underWay.shift()!;
  }
  for (const last of underWay) yield await last;
}
