import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_NAMES, ERRORS, RETRYABLE_ERRORS } from '../../../functions/contract/errors.ts';
import {
  arnPlaceholder,
  FUNCTION_NAMES,
  FUNCTIONS,
  handlerFile,
  lambdaName,
} from '../../../functions/contract/functions.ts';
import { HoldfastError } from '../../../functions/contract/holdfast-error.ts';
import { MACHINES, machineName } from '../../../functions/contract/names.ts';

/** As long as holdfast.yaml allows a cluster's name to be. */
const LONGEST = 'c'.repeat(20);

describe('a function', () => {
  it('has a placeholder that names it', () => {
    expect(arnPlaceholder('reconcile-restore-volumes')).toBe('ReconcileRestoreVolumesArn');
  });

  it('shares its placeholder with no other', () => {
    expect(new Set(FUNCTION_NAMES.map(arnPlaceholder)).size).toBe(FUNCTION_NAMES.length);
  });

  it.each(FUNCTION_NAMES)('%s has a handler, and a name that Lambda takes', (name) => {
    const handler = new URL(`../../../functions/${handlerFile(name)}`, import.meta.url);
    expect(existsSync(handler)).toBe(true);
    expect(lambdaName('paris', name)).toBe(`holdfast-paris-${name}`);
    expect(lambdaName(LONGEST, name).length).toBeLessThanOrEqual(64);
  });

  it.each(FUNCTION_NAMES)(
    '%s ends within what Lambda allows, in a machine that exists or by a schedule',
    (name) => {
      expect(FUNCTIONS[name].timeoutSeconds).toBeLessThanOrEqual(900);
      expect([...MACHINES, 'none']).toContain(FUNCTIONS[name].machine);
    },
  );

  it('outside of the restore never has the identity of a restore', () => {
    const strong = FUNCTION_NAMES.filter((n) => FUNCTIONS[n].access === 'restore');
    expect(strong.filter((n) => FUNCTIONS[n].machine !== 'restore')).toEqual([]);
  });
});

describe('a machine', () => {
  it.each(MACHINES)('%s has a name that Step Functions takes', (machine) => {
    expect(machineName(LONGEST, machine).length).toBeLessThanOrEqual(80);
  });
});

describe('an error', () => {
  it.each(ERROR_NAMES)('%s is retryable just when the machines try it again', (name) => {
    expect(new HoldfastError(name, 'x').retryable).toBe(RETRYABLE_ERRORS.includes(name));
    expect(ERRORS[name].retryable).toBe(RETRYABLE_ERRORS.includes(name));
  });

  it('carries its hint where a person reads it', () => {
    expect(new HoldfastError('RestoreRefused', 'no', { hint: 'Try again' }).message).toBe('no. Try again');
  });
});
