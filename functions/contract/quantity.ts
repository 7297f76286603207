/** Powers of ten. */
const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
/** Powers of two. */
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

/** A sign, digits with a point anywhere among them, and a unit or a power of ten: `10Gi`, `.5`, `-100m`, `1.5e3`, `1E-3`. */
const QUANTITY = /^([+-]?)(?=\.?\d)(\d*)\.?(\d*)(?:([KMGTPE]i)|[eE]([+-]?\d+)|([numkMGTPE]?))$/;
/** Longer texts are not parsed. */
const MOST_CHARACTERS = 100;
/** Limits of Kubernetes: the decimal exponent is an int32, a value in binary units is at most an int64, the smallest unit is nano. */
const MOST_EXPONENT = 2 ** 31 - 1;
const MOST_BINARY = 2n ** 63n - 1n;
const FINEST = -9;

/** The exact value of a quantity: `mantissa` times ten to the power of `exponent`. The mantissa has no trailing zeros. */
export interface Quantity {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/**
 * Parses a Kubernetes quantity as the API server does: fractions of a nano are rounded away from zero, values in binary
 * units are capped at int64. Undefined if the text is not a quantity.
 */
export function parseQuantity(text: string): Quantity | undefined {
  const match = text.length <= MOST_CHARACTERS && QUANTITY.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', binary, power, decimal = ''] = match;
  const exponent = power === undefined ? (DECIMAL[decimal] as number) : Number(power);
  if (Math.abs(exponent) > MOST_EXPONENT) return undefined;
  const digits = BigInt(whole + fraction);
  const places = -fraction.length;
  const size = binary
    ? atMost(digits << BigInt(BINARY[binary] as number), places)
    : { mantissa: digits, exponent: exponent + places };
  const { mantissa, exponent: by } = shortened(noFiner(size));
  return { mantissa: sign === '-' ? -mantissa : mantissa, exponent: by };
}

/** A Kubernetes quantity as the nearest number; undefined if the text is not a quantity. */
export function quantity(text: string): number | undefined {
  const parsed = parseQuantity(text);
  return parsed && Number(`${parsed.mantissa}e${parsed.exponent}`);
}

/**
 * Whether two texts are the same quantity in different notation: the API server writes `1024Ti` as `1Pi` and `0.1` as `100m`. At least
 * one must have a unit or a power, and of zeros one must be plain: `1` and `1.0` are versions, `0e1` and `0e2` are hashes.
 */
export function sameQuantity(a: string, b: string): boolean {
  if (!/[a-z]/i.test(a + b)) return false;
  const [x, y] = [parseQuantity(a), parseQuantity(b)];
  if (!x || !y || x.mantissa !== y.mantissa || x.exponent !== y.exponent) return false;
  return x.mantissa !== 0n || a === '0' || b === '0';
}

function atMost(mantissa: bigint, exponent: number): Quantity {
  const most = MOST_BINARY * 10n ** BigInt(-exponent);
  return mantissa > most ? { mantissa: MOST_BINARY, exponent: 0 } : { mantissa, exponent };
}

function noFiner({ mantissa, exponent }: Quantity): Quantity {
  const excess = FINEST - exponent;
  if (excess <= 0 || mantissa === 0n) return { mantissa, exponent };
  if (excess > String(mantissa).length) return { mantissa: 1n, exponent: FINEST };
  const divisor = 10n ** BigInt(excess);
  return { mantissa: (mantissa + divisor - 1n) / divisor, exponent: FINEST };
}

function shortened({ mantissa, exponent }: Quantity): Quantity {
  if (mantissa === 0n) return { mantissa, exponent: 0 };
  const digits = String(mantissa).replace(/0+$/, '');
  return { mantissa: BigInt(digits), exponent: exponent + String(mantissa).length - digits.length };
}
