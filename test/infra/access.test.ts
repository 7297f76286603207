import { expect, test } from 'vitest';
import { FUNCTION_NAMES, FUNCTIONS, lambdaName } from '../../functions/contract/functions.ts';
import { allowed, clusterTemplate, EKS, flat } from './support.ts';

const template = clusterTemplate(EKS);
const TALKING = FUNCTION_NAMES.filter((name) => FUNCTIONS[name].access !== 'none');

/** Kubernetes groups of a function's role. */
function groupsOf(name: (typeof FUNCTION_NAMES)[number]): string[][] {
  const [lambda] = Object.values(
    template.findResources('AWS::Lambda::Function', {
      Properties: { FunctionName: lambdaName('prod', name) },
    }),
  );
  return Object.values(template.findResources('AWS::EKS::AccessEntry'))
    .filter((entry) => flat(entry.Properties.PrincipalArn) === flat(lambda?.Properties.Role))
    .map((entry) => entry.Properties.KubernetesGroups);
}

test('every function that talks to an EKS cluster has one access entry, in the group of its use', () => {
  for (const name of FUNCTION_NAMES) {
    const use = FUNCTIONS[name].access;
    expect([name, groupsOf(name)]).toEqual([name, use === 'none' ? [] : [[`holdfast:${use}`]]]);
  }
  template.allResourcesProperties('AWS::EKS::AccessEntry', { ClusterName: 'prod-eks' });
});

test('they may describe that cluster and no other, and read no kubeconfig', () => {
  const arn = 'arn:<AWS::Partition>:eks:eu-west-1:<AWS::AccountId>:cluster/prod-eks';
  for (const name of FUNCTION_NAMES) {
    expect(allowed(template, name, 'eks:DescribeCluster')).toEqual(TALKING.includes(name) ? [arn] : []);
    for (const secret of allowed(template, name, 'secretsmanager:GetSecretValue'))
      expect(secret).toContain('repository-master');
  }
});

test('a cluster in another region gets its access entries by hand: this stack cannot reach it', () => {
  const elsewhere = clusterTemplate('{ kind: eks, name: prod-eks, region: eu-north-1 }');
  elsewhere.resourceCountIs('AWS::EKS::AccessEntry', 0);
  expect(allowed(elsewhere, 'open-backup', 'eks:DescribeCluster')[0]).toContain(':eks:eu-north-1:');
});

test('a self-managed cluster has no access entries', () => {
  clusterTemplate().resourceCountIs('AWS::EKS::AccessEntry', 0);
});
