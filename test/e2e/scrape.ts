/** A producer's counts and gauges without their prefix, as Prometheus would read them. */
export type Scraped = (name: string, labels?: Readonly<Record<string, string>>) => number;

/** Reads `/metrics`. A counter is the sum over all label sets that fit; one that was never counted is 0. */
export async function scrape(port: number): Promise<Scraped> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const samples = [...text.matchAll(/^microengine_(\w+)(?:\{(.*)\})? (\S+)$/gm)];
  return (name, labels = {}) => {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return samples
      .filter(([, sampled, set = ""]) => sampled === name && wanted.every((label) => set.includes(label)))
      .reduce((sum, [, , , value]) => sum + Number(value), 0);
  };
}
