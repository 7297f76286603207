import { expect, test } from 'vitest';
import { confirmLine, type RewindHeading, rewindLines, stepLines } from '../../../cli/rewind-lines.ts';
import { type ObjectVersion, type RewindStep, rewindCounter } from '../../../functions/core/vault/rewind.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';

const keys = vaultKeys('paris');
const heading: RewindHeading = {
  cluster: 'paris',
  bucket: 'holdfast-vault-1-eu-west-1',
  copy: 'primary',
  to: new Date('2026-11-24T18:00:00Z'),
  atWork: [],
};
const step = (action: RewindStep['action'], key: string, bytes: number, reason = ''): RewindStep => {
  const version: ObjectVersion = { key, id: 'v', at: heading.to, deleted: false, bytes };
  return { action, version, reason };
};
const summaryOf = (...steps: RewindStep[]) => {
  const counter = rewindCounter();
  for (const s of steps) counter.add(s);
  return counter.summary();
};

test('a rewind says what comes back, what vanishes, and what it cannot do', () => {
  const summary = summaryOf(
    step('bring back', keys.records.record('nightly-1'), 2048),
    step('bring back', keys.velero.archive('nightly-1'), 5 * 2 ** 20),
    step('hide', keys.records.record('nightly-2'), 2000),
    step('leave', keys.records.record('nightly-0'), 2000),
    step('bring back', `${keys.restic.repository('shop')}/keys/01`, 450),
  );
  expect(rewindLines(heading, summary).join('\n')).toBe(
    `paris in holdfast-vault-1-eu-west-1 (primary), as it was at 2026-11-24T18:00:00.000Z

               BRING BACK                 HIDE                       LEAVE
records        1 object, 2.0 KiB          1 object, 2.0 KiB          1 object, 2.0 KiB
archives       1 object, 5.0 MiB          -                          -
repositories   1 object, 450 B            -                          -

recovery points that come back (1): nightly-1
recovery points that vanish (1): nightly-2
repositories in which something changes (1): shop
repositories that an older password opens again (1): shop
  change it when all is well: holdfast vault rotate-key

Nothing is removed: copies of old versions and delete markers are added, so a rewind can be rewound.
Versions under Object Lock cannot have been removed by anybody. Of a bucket without it, those that somebody
removed for good are not listed here and do not come back: then take the other copy.`,
  );
});

test('what is at work is a warning, even when nothing has changed', () => {
  const atWork = ['prune nightly-1 is running'];
  expect(rewindLines({ ...heading, atWork }, summaryOf())).toEqual([
    'paris in holdfast-vault-1-eu-west-1 (primary), as it was at 2026-11-24T18:00:00.000Z',
    'WARNING: prune nightly-1 is running: what it writes now would be hidden or undone',
    'Nothing has changed since: there is nothing to do',
  ]);
});

test('a list has a line for each key that changes, with the reason', () => {
  const steps = [step('bring back', 'records/paris/a', 1, 'deleted yesterday'), step('hide', 'b', 1, 'came')];
  expect(stepLines(steps)).toEqual([
    'bring back  records/paris/a  (deleted yesterday)',
    'hide        b  (came)',
  ]);
});

test('how to go on names the instant, not how long ago it was', () => {
  expect(confirmLine({ ...heading, copy: 'replica' })).toBe(
    'To do it: holdfast --cluster paris vault rewind --from replica --to 2026-11-24T18:00:00.000Z --confirm',
  );
});
