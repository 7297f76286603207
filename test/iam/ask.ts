import type { Session } from './recording.ts';

/** Values that conditions of policies can look at. */
export type Context = Readonly<Record<string, string | string[]>>;

/** Who asks. Names are of the deployment, like `holdfast-demo-open-backup`. */
export type Who =
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'machine'; readonly name: string }
  | { readonly kind: 'schedule'; readonly group: string; readonly name: string }
  /** Credentials of AssumeRole; `by` is the function that has them made. */
  | { readonly kind: 'session'; readonly session: Session; readonly by: string }
  /** A role of the templates by its name or its logical id. */
  | { readonly kind: 'role'; readonly name: string }
  /** A service of AWS itself. */
  | { readonly kind: 'service'; readonly name: string };

/** One question to IAM: may `who` do `action` on `resource`? */
export interface Ask {
  readonly who: Who;
  readonly action: string;
  /** An ARN. `key-of:BUCKET` is the key of a bucket, `alias-of:REGION:ALIAS` the key of an alias. */
  readonly resource: string;
  readonly context?: Context;
  /** For people: where the question comes from, like `GET /bucket/key` or the name of a call written by hand. */
  readonly source: string;
}

/** A call that the tables have no entry for. The gate fails with its name. */
export class UnknownCall extends Error {
  constructor(call: string) {
    super(`${call}: no table of test/iam says what AWS permission this call needs; add it`);
    this.name = 'UnknownCall';
  }
}

/** The asker in one or two words. */
export function nameOf(who: Who): string {
  if (who.kind === 'session') return `Job of ${who.by} (${who.session.role.split('/').at(-1)})`;
  if (who.kind === 'schedule') return `schedule ${who.group}/${who.name}`;
  return who.kind === 'function' ? who.name : `${who.kind} ${who.name}`;
}
