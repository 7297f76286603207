import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeAddress } from '../../../../functions/core/restore/addresses.ts';

describe('an address', () => {
  const byte = fc.nat(255);
  const hex = (a: number, b: number) => ((a << 8) | b).toString(16);
  it('of a node or its cloud is found in every form', () => {
    fc.assert(
      fc.property(fc.constantFrom([169, 254] as const, [127, 0] as const), byte, byte, ([a, b], c, d) => {
        const dotted = `${a}.${b}.${c}.${d}`;
        const [high, low] = [hex(a, b), hex(c, d)];
        const forms = [
          dotted,
          `${a}.${b}.0${c}.00${d}`,
          `::ffff:${dotted}`,
          `::FFFF:${high}:${low}`,
          `0:0:0:0:0:ffff:${high}:${low}`,
          `0000:0000:0000:0000:0000:ffff:${dotted}`,
          `64:ff9b::${high}:${low}`,
          `2002:${high}:${low}::1`,
          `::${dotted}`,
        ];
        for (const form of forms) expect(nodeAddress(form), form).toBeDefined();
      }),
    );
  });
  it('of a network is not', () => {
    const outside = fc
      .tuple(fc.constantFrom(10, 172, 192, 203, 8), byte, byte, byte)
      .filter(([a, b, c]) => !(a === 192 && b === 0 && c === 0));
    fc.assert(
      fc.property(outside, (four) => {
        expect(nodeAddress(four.join('.'))).toBeUndefined();
      }),
    );
    for (const address of [
      '2001:db8::1',
      'fd00::1',
      'db.example.com',
      '',
      '::g',
      '1.2.3',
      '1::2::3',
      '169.254.169.254.example.com',
    ])
      expect(nodeAddress(address)).toBeUndefined();
  });
  it.each([
    '::1',
    '::',
    '0.0.0.0',
    'fe80::1%eth0',
    'FE80:0:0:0::1',
    'febf::1',
    'fd00:ec2::254',
    '100.100.100.200',
    '168.63.129.16',
  ])('%s is one of a node', (address) => {
    expect(nodeAddress(address)).toBeDefined();
  });
});
