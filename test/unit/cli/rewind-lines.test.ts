import { expect, test } from 'vitest';
import {
  confirmLine,
  incompleteError,
  type RewindHeading,
  rewindLines,
  stepLines,
} from '../../../cli/rewind-lines.ts';
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

test('a preview lists what a rewind restores, what it hides, and what it cannot do', () => {
  const summary = summaryOf(
    step('restore', keys.records.record('nightly-1'), 2048),
    step('restore', keys.velero.archive('nightly-1'), 5 * 2 ** 20),
    step('hide', keys.records.record('nightly-2'), 2000),
    step('leave', keys.records.record('nightly-0'), 2000),
    step('restore', `${keys.restic.repository('shop')}/keys/01`, 450),
  );
  expect(rewindLines(heading, summary).join('\n')).toBe(
    `paris in holdfast-vault-1-eu-west-1 (primary), as it was at 2026-11-24T18:00:00.000Z

               RESTORE                    HIDE                       LEAVE
records        1 object, 2.0 KiB          1 object, 2.0 KiB          1 object, 2.0 KiB
archives       1 object, 5.0 MiB          -                          -
repositories   1 object, 450 B            -                          -

recovery points to restore (1): nightly-1
recovery points to hide (1): nightly-2
repositories that change (1): shop
repositories that an older password opens again (1): shop
  after the rewind, change their passwords: holdfast vault rotate-key

A rewind removes nothing: it adds copies of old versions and delete markers, so you can rewind it again.
Versions under Object Lock cannot have been deleted. In a bucket without Object Lock, permanently deleted
versions are not listed here and cannot be restored: use the other copy for them.`,
  );
});

test('running work is a warning, even if nothing has changed', () => {
  const atWork = ['prune nightly-1 is running'];
  expect(rewindLines({ ...heading, atWork }, summaryOf())).toEqual([
    'paris in holdfast-vault-1-eu-west-1 (primary), as it was at 2026-11-24T18:00:00.000Z',
    'WARNING: prune nightly-1 is running: its writes can be hidden or undone',
    'No changes since then: there is nothing to do',
  ]);
});

test('a view that cannot be complete is a warning, and an error with the remedies when it is confirmed', () => {
  const incomplete = 'the bucket removes earlier versions after 60 days';
  expect(rewindLines({ ...heading, incomplete }, summaryOf())[1]).toBe(
    'WARNING: this view cannot be complete: the bucket removes earlier versions after 60 days',
  );
  expect(incompleteError({ ...heading, incomplete })).toBe(
    '--to 2026-11-24T18:00:00.000Z: the view of the primary cannot be complete: the bucket removes earlier versions after 60 days. Choose a later time, or use the other copy with --from. To rewind to what is left, add --allow-incomplete',
  );
});

test('a list has a line for each key that changes, with the reason', () => {
  const steps = [step('restore', 'records/paris/a', 1, 'deleted yesterday'), step('hide', 'b', 1, 'came')];
  expect(stepLines(steps)).toEqual([
    'restore     records/paris/a  (deleted yesterday)',
    'hide        b  (came)',
  ]);
});

test('the command to apply has an absolute timestamp', () => {
  expect(confirmLine({ ...heading, copy: 'replica' })).toBe(
    'To apply it: holdfast --cluster paris vault rewind --from replica --to 2026-11-24T18:00:00.000Z --confirm',
  );
});
