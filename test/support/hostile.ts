import fc from 'fast-check';

/** What somebody writes into a log, an annotation or a message who wants to be more than read. */
export const HOSTILE: readonly string[] = [
  '',
  ' ',
  '-',
  '--',
  '-v',
  '--password-command=touch /tmp/x',
  '--unsafe-allow-remove-all',
  '--host=prod',
  'latest',
  '.',
  '..',
  '../../bank',
  '/',
  '/etc/passwd',
  'a/b',
  'a\\b',
  'a\nb',
  '\n--host=x',
  'a\r\nb: c',
  'a\u0000b',
  '\u001b[2J',
  '\u202eabc',
  '\u2028',
  '\ud800',
  'é\u0301😀',
  '"',
  "'",
  '`id`',
  '$(id)',
  ';id',
  '%2e%2e%2f',
  ',',
  'a,b',
  '=',
  '*',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '{"message_type":"summary"}',
  '[{"Endpoint":"http://evil.example:2379"}]',
  'http://evil.example:2379',
  'https://user:password@evil.example:2379',
  'file:///etc/passwd',
  'a'.repeat(63),
  'f'.repeat(63),
  'F'.repeat(64),
  `${'f'.repeat(64)}\n`,
  ` ${'f'.repeat(64)}`,
  'f'.repeat(65),
  'x'.repeat(100_000),
  'null',
  'NaN',
  '1e999',
  '-1',
  '9007199254740993',
  '0x10',
  '1_000',
];

/** JSON texts of values of every type, among them numbers that JavaScript does not hold. */
const VALUES: readonly string[] = [
  'null',
  'true',
  '0',
  '-1',
  '1.5',
  '1e999',
  '-1e999',
  '9007199254740993',
  '[]',
  '[[]]',
  '{}',
  '{"length":1,"0":"x"}',
  '{"toString":1}',
  '{"__proto__":{"a":1}}',
  '["--host=x"]',
];

export const hostileText = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.tuple(fc.constantFrom(...HOSTILE), fc.constantFrom(...HOSTILE)).map(([a, b]) => a + b),
);

/** A JSON text of a hostile value. */
export const hostileJson = fc.oneof(
  fc.constantFrom(...VALUES),
  hostileText.map((text) => JSON.stringify(text)),
  fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
);

/** A JSON object with some of these fields, each of a hostile value or of the one given; fields may be there twice. */
export const hostileObject = (fields: Readonly<Record<string, string>>): fc.Arbitrary<string> =>
  fc
    .array(
      fc
        .constantFrom(...Object.keys(fields), '__proto__', 'constructor')
        .chain((name) =>
          fc
            .oneof(hostileJson, fc.constant(fields[name] ?? 'null'))
            .map((value) => `${JSON.stringify(name)}:${value}`),
        ),
      { maxLength: 12 },
    )
    .map((members) => `{${members.join(',')}}`);
