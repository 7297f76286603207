import { replicationRoleName } from '../../functions/contract/names.ts';
import type { Ask, Who } from './ask.ts';
import type { Model } from './model.ts';
import type { PlacedStack } from './resolve.ts';
import type { Variant } from './variants.ts';

/** A call that is written by hand, with the name under which findings show it. */
export interface ByHand {
  readonly name: string;
  readonly asks: (variant: Variant) => readonly Omit<Ask, 'source'>[];
}

export type Resources = readonly (readonly [
  id: string,
  properties: Readonly<Record<string, unknown>>,
  stack: PlacedStack,
])[];

/** The resources of a type in all stacks. */
export function ofType({ stacks }: Model, type: string): Resources {
  return stacks.flatMap((stack) =>
    Object.entries(stack.resources)
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties = {} }]) => [id, Properties, stack] as const),
  );
}

/** A service of AWS as the asker. */
export const service = (name: string): Who => ({ kind: 'service', name: `${name}.amazonaws.com` });
export const functions = ({ model }: Variant) => ofType(model, 'AWS::Lambda::Function');
export const machines = ({ model }: Variant) => ofType(model, 'AWS::StepFunctions::StateMachine');
export const schedules = ({ model }: Variant) => ofType(model, 'AWS::Scheduler::Schedule');

/** The role of the replication, where S3 replicates. */
export const replicationRole = ({ model, copies }: Variant) =>
  model.roles.find(({ name }) => name === replicationRoleName(copies.primary.prefix));
