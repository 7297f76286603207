/** The bytes of an IPv4 or IPv6 address in any of its forms; an IPv6 address that holds an IPv4 one is that. Undefined if it is none. */
function addressBytes(text: string): number[] | undefined {
  const four = ipv4(text);
  if (four) return four;
  const six = ipv6(text.replace(/%.*$/s, ''));
  if (!six) return undefined;
  const embedded = EMBEDDING.find(({ prefix }) => prefix.every((byte, i) => six[i] === byte));
  const inside = embedded && six.slice(embedded.at, embedded.at + 4);
  return inside?.some((byte) => byte !== 0) ? inside : six;
}

/** Where an IPv6 address holds an IPv4 one: mapped, translated (NAT64), 6to4, compatible. */
const EMBEDDING = [
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255], at: 12 },
  { prefix: [0, 0x64, 0xff, 0x9b], at: 12 },
  { prefix: [0x20, 2], at: 2 },
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], at: 12 },
];

/** Leading zeros are read as decimal digits, as the API server does. */
function ipv4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((p) => /^\d{1,12}$/.test(p))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((b) => b <= 255) ? bytes : undefined;
}

function ipv6(text: string): number[] | undefined {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0 || !text.includes(':')) return undefined;
  const [before, after] = [groups(head), groups(tail ?? '')];
  if (!before || !after) return undefined;
  const missing = 16 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 0) return undefined;
  return [...before, ...new Array<number>(missing).fill(0), ...after];
}

function groups(text: string): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    const four = i === parts.length - 1 ? ipv4(part) : undefined;
    if (!four && !/^[\da-f]{1,4}$/i.test(part)) return undefined;
    const value = Number.parseInt(part, 16);
    bytes.push(...(four ?? [value >> 8, value & 255]));
  }
  return bytes;
}

/** One text for all forms of an address; undefined if it is none. */
export const addressKey = (text: string): string | undefined => addressBytes(text)?.join('.');

/** Addresses that clouds serve the credentials of a machine at, beyond the link-local ones. */
const METADATA: readonly string[] = [
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd20:ce::254',
];
const METADATA_BYTES = METADATA.map((address) => String(addressBytes(address)));

/** What of a node or of its cloud an address means; undefined for an address of a network. */
export function nodeAddress(text: string): string | undefined {
  const bytes = addressBytes(text);
  if (!bytes) return undefined;
  const [a = 0, b = 0] = bytes;
  if (METADATA_BYTES.includes(String(bytes))) return 'the metadata of the cloud';
  if (bytes.every((byte) => byte === 0)) return 'every address of the node';
  if (bytes.length === 4) {
    if (a === 127 || a === 0) return 'the node itself';
    return a === 169 && b === 254 ? 'link-local addresses, like the metadata of the cloud' : undefined;
  }
  return a === 0xfe && (b & 0xc0) === 0x80
    ? 'link-local addresses, like the metadata of the cloud'
    : undefined;
}
