// Numbers as people read them.
export function bytes(count: number | undefined): string {
  if (!count) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) {
    count /= 1000;
    unit++;
  }
  return `${count.toPrecision(count >= 100 ? 3 : 2)} ${units[unit]}`;
}

export function milliseconds(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function rate(perSecond: number): string {
  return perSecond >= 100 ? perSecond.toFixed(0) : perSecond.toFixed(1);
}

export function count(value: number | undefined): string {
  if (value === undefined) return "–";
  if (value < 1000) return String(value);
  return value < 1e6 ? `${(value / 1e3).toPrecision(3)} k` : value < 1e9 ? `${(value / 1e6).toPrecision(2)} M` : `${(value / 1e9).toPrecision(2)} B`;
}

export function ago(time: number): string {
  const minutes = Math.floor((Date.now() - time) / 60000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return new Date(time).toLocaleDateString();
}
