/** A finding or a permission with the reason why it stays; one that is not there in every run is never stale. `*` stands for anything, `\\*` for itself. */
export type Answer = readonly [pattern: string, why: string, when?: 'in some runs'];

const IAM5 = 'cdk-nag AwsSolutions-IAM5';
const S3 = 'arn:<AWS::Partition>:s3:::';

/** Findings of cdk-nag and cfn-lint that stay. One that answers nothing any more fails the gate. */
export const TEMPLATE_ANSWERS: readonly Answer[] = [
  [
    'cdk-nag AwsSolutions-SF1 *',
    'Only errors are logged: events of every state would hold inputs, which name namespaces and what people typed.',
  ],
  [
    'cdk-nag AwsSolutions-SF2 *',
    'X-Ray would trace calls between functions; each function writes one log line per call with the execution.',
  ],
  ['cdk-nag AwsSolutions-SQS3 *', 'This queue is the dead-letter queue: messages wait there for a person.'],
  [
    'cdk-nag AwsSolutions-SMG4 *',
    'Passwords of all repositories are derived from the secret; `holdfast vault rotate-key` changes both together.',
  ],
  [
    'cdk-nag AwsSolutions-S1 holdfast-vault*',
    'CloudTrail data events are the record of access to the vault: server access logs come late and incomplete.',
  ],
  [
    'cdk-nag AwsSolutions-S1 holdfast-vault*access-log/*',
    'The bucket of the log itself: a log of its log would grow without end.',
  ],
  [`${IAM5}[Resource::*] *`, 'The API for the delivery of Step Functions logs takes no resource.'],
  [
    `${IAM5}[Resource::<*Function*.Arn>:*] *`,
    'The versions of one function: the CDK grants them with every invocation.',
  ],
  [
    `${IAM5}[Resource::arn:<AWS::Partition>:kms:*:<account>:key/*] *`,
    'Keys are chosen by alias in the condition: the ARN of the other region’s key is not known in this stack.',
  ],
  [
    `${IAM5}[Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<account>:log-group:/aws/lambda/holdfast-<cluster>-*:*] *`,
    'The streams of one function’s own log group: Lambda names them.',
  ],
  ...['<primary>', '<replica>'].flatMap((bucket): Answer[] => [
    [
      `${IAM5}[Resource::${S3}${bucket}/*/<cluster>/*] *`,
      'Objects of one cluster below one root: their keys are made at run time.',
    ],
    [
      `${IAM5}[Resource::${S3}${bucket}/*] holdfast-vault/Replication/*`,
      'What S3 replicates: everything below one root, of all clusters.',
    ],
  ]),
  [
    `${IAM5}[Resource::arn:<AWS::Partition>:states:*:<account>:execution:*] *`,
    'Executions of one machine: their names are made at run time.',
  ],
  ['cfn-lint W3005 *', 'The CDK writes dependencies on roles that a reference already brings.'],
  [
    'cfn-lint E3601 *arn:*:states:::lambda:invoke* does not match*',
    'cfn-lint looks at the definition before DefinitionSubstitutions are filled in; test/machines checks it filled.',
  ],
  [
    'cfn-lint E1101 *machine-backup* Exception *',
    'cfn-lint fails to print a finding inside a branch of a machine; test/machines checks the definition.',
  ],
];

/** Which texts no answer speaks of, and which answers speak of nothing. */
export function answered(
  texts: readonly string[],
  answers: readonly Answer[],
): { readonly open: string[]; readonly stale: string[] } {
  const patterns = answers.map(([text, , when]) => ({ text, pattern: globOf(text), when }));
  return {
    open: texts.filter((text) => !patterns.some(({ pattern }) => pattern.test(text))),
    stale: patterns
      .filter(({ pattern, when }) => when === undefined && !texts.some((t) => pattern.test(t)))
      .map(({ text }) => text),
  };
}

/** `*` stands for anything, `\\*` for itself. */
const globOf = (text: string): RegExp =>
  new RegExp(
    `^${text.replace(/\\?\*|[.+?^${}()|[\]\\]/g, (c) => (c === '*' ? '.*' : c.startsWith('\\') && c !== '\\' ? c : `\\${c}`))}$`,
    's',
  );
