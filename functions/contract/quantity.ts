const FACTORS: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};
const QUANTITY = /^(\d+(?:\.\d+)?)(?:(m|k|M|G|T|P|E|[KMGTPE]i)?|[eE](\d+))$/;

/** A Kubernetes quantity (`10Gi`, `500M`, `1e9`) as a number; undefined when the text is none. */
export function quantity(text: string): number | undefined {
  const match = QUANTITY.exec(text.trim());
  if (!match) return undefined;
  const factor = match[3] === undefined ? (FACTORS[match[2] ?? ''] as number) : 10 ** Number(match[3]);
  return Number(match[1]) * factor;
}
