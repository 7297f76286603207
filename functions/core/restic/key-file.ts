import { scrypt } from 'node:crypto';
import * as z from 'zod/mini';
import { decrypted, type RepositoryKey } from './encryption.ts';

/** Bounds for what a key file asks of the reader, who does not know who wrote it. restic 0.19 uses 32 MiB, and half a second. */
const MAX_MEMORY = 128 * 2 ** 20;
const MAX_COST = 2 ** 23;

const positive = z.int().check(z.positive());
const bytesOf = (text: string) => Buffer.from(text, 'base64');

/** Bytes as Go writes them into JSON. `bytes`: how many, if that is fixed. */
const base64 = (bytes?: number) =>
  z.pipe(
    z.base64().check(z.refine((text) => bytes === undefined || bytesOf(text).length === bytes)),
    z.transform(bytesOf),
  );

const KeyFile = z.object({
  kdf: z.literal('scrypt'),
  N: positive,
  r: positive,
  p: positive,
  salt: base64(64),
  data: base64(),
});
type KeyFile = z.infer<typeof KeyFile>;

const MasterKey = z.object({
  encrypt: base64(32),
  mac: z.object({ k: base64(16), r: base64(16) }),
});

/** A key file that can be tried, and what the trial costs: blocks of 128 bytes that scrypt mixes. */
export interface Lock {
  readonly cost: number;
  /** The repository's key; undefined if the password is not that of this file. */
  open(password: string): Promise<RepositoryKey | undefined>;
}

/** Parses `keys/<id>`. Undefined: it is no key file of restic, or asks for more memory or time than any that restic writes. */
export function parseKeyFile(stored: Buffer): Lock | undefined {
  const file = parsed(KeyFile, stored);
  if (!file) return undefined;
  const { N, r, p } = file;
  const cost = N * r * p;
  if (128 * r * (N + p) > MAX_MEMORY || cost > MAX_COST || (N & (N - 1)) !== 0) return undefined;
  return {
    cost,
    async open(password) {
      const key = await derived(file, password);
      const text = key && decrypted(key, file.data);
      return text && parsed(MasterKey, text);
    },
  };
}

/** The key of a password, by scrypt; undefined if its parameters are none. */
function derived({ N, r, p, salt }: KeyFile, password: string): Promise<RepositoryKey | undefined> {
  const { promise, resolve } = Promise.withResolvers<RepositoryKey | undefined>();
  scrypt(password, salt, 64, { N, r, p, maxmem: 2 * MAX_MEMORY }, (error, bytes) => {
    const mac = () => ({ k: bytes.subarray(32, 48), r: bytes.subarray(48) });
    resolve(error ? undefined : { encrypt: bytes.subarray(0, 32), mac: mac() });
  });
  return promise;
}

function parsed<T>(schema: z.core.$ZodType<T>, text: Buffer): T | undefined {
  try {
    return z.safeParse(schema, JSON.parse(text.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
