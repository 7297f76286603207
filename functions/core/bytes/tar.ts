/** Tar for regular files: POSIX ustar, and PAX for paths that are too long for it. */
const BLOCK = 512;

/** Two blocks of zeros end a tar. */
export const END_OF_TAR = Buffer.alloc(2 * BLOCK);

/** Type flags: a regular file, and the PAX records of the entry that follows. */
const FILE = '0';
const PAX = 'x';

const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const MAX_USTAR_SIZE = 8 ** 11 - 1;

/** Zeros that fill the last block of a file of this size. */
export function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** Header of a regular file, 512 bytes or a multiple; its content and padding follow. `path` is ASCII or UTF-8 without a leading slash. */
export function fileHeader(path: string, size: number, mode: number): Buffer {
  const split = size <= MAX_USTAR_SIZE ? splitPath(path) : undefined;
  if (split) return header({ ...split, size, mode, type: FILE });
  const records = paxRecord('path', path) + (size > MAX_USTAR_SIZE ? paxRecord('size', String(size)) : '');
  const body = Buffer.from(records);
  const short = path.replace(/[^\x20-\x7e]/g, '_').slice(-NAME_BYTES);
  return Buffer.concat([
    header({ name: 'PaxHeaders/entry', prefix: '', size: body.length, mode, type: PAX }),
    body,
    Buffer.alloc(paddingOf(body.length)),
    header({ name: short, prefix: '', size: Math.min(size, MAX_USTAR_SIZE), mode, type: FILE }),
  ]);
}

/** Name and prefix of ustar, which readers join with a slash; undefined if the path does not fit. */
function splitPath(path: string): { name: string; prefix: string } | undefined {
  if (Buffer.byteLength(path) !== path.length) return undefined; // ustar allows only ASCII
  if (path.length <= NAME_BYTES) return { name: path, prefix: '' };
  const slash = path.indexOf('/', path.length - NAME_BYTES - 1);
  if (slash <= 0 || slash > PREFIX_BYTES || slash === path.length - 1) return undefined;
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (bytes + String(length).length !== length) length = bytes + String(length).length;
  return `${length}${rest}`;
}

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;

/** Fields that are the same in every header: uid, gid and time are 0, so that equal objects have equal bytes. */
const TEMPLATE = ((): Buffer => {
  const block = Buffer.alloc(BLOCK);
  block.write(octal(0, 7), 108, 'latin1');
  block.write(octal(0, 7), 116, 'latin1');
  block.write(octal(0, 11), 136, 'latin1');
  block.write(' '.repeat(8), 148, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  return block;
})();

/** Fields of a ustar header that differ between entries. `size` in bytes. */
interface UstarFields {
  readonly name: string;
  readonly prefix: string;
  readonly size: number;
  readonly mode: number;
  readonly type: typeof FILE | typeof PAX;
}

function header({ name, prefix, size, mode, type }: UstarFields): Buffer {
  const block = Buffer.from(TEMPLATE);
  block.write(name, 0, NAME_BYTES, 'latin1');
  block.write(octal(mode, 7), 100, 8, 'latin1');
  block.write(octal(size, 11), 124, 12, 'latin1');
  block.write(type, 156, 1, 'latin1');
  if (prefix) block.write(prefix, 345, PREFIX_BYTES, 'latin1');
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += block[i] as number;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return block;
}
