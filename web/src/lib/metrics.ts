// Prometheus' text format, as far as the status tab needs it: samples with labels, and quantiles out of histograms.
// Source: Prometheus, "Exposition formats" (text format 0.0.4).
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export function parseMetrics(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!match) continue;
    const labels: Record<string, string> = {};
    for (const [, key, value] of (match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[key!] = value!.replace(/\\(.)/g, "$1");
    samples.push({ name: match[1]!, labels, value: Number(match[3]!.replace("Inf", "Infinity")) });
  }
  return samples;
}

/** The sum of all samples of a name, or of those that have the labels. */
export function total(samples: Sample[], name: string, labels: Record<string, string> = {}): number {
  return matching(samples, name, labels).reduce((sum, sample) => sum + sample.value, 0);
}

/** The upper bound of the bucket in which the quantile of all series lies, in seconds; undefined without observations. */
export function quantile(samples: Sample[], name: string, q: number): number | undefined {
  const counts = new Map<number, number>();
  for (const bucket of matching(samples, `${name}_bucket`, {})) counts.set(bound(bucket), (counts.get(bound(bucket)) ?? 0) + bucket.value);
  const buckets = [...counts].sort(([a], [b]) => a - b);
  const all = buckets.at(-1)?.[1] ?? 0;
  return all === 0 ? undefined : buckets.find(([, count]) => count >= q * all)![0];
}

function bound(bucket: Sample): number {
  return Number((bucket.labels.le ?? "+Inf").replace("Inf", "Infinity"));
}

function matching(samples: Sample[], name: string, labels: Record<string, string>): Sample[] {
  return samples.filter((sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value));
}
