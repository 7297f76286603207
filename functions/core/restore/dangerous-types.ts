/** Types of which each object is held, whatever is in it. */
export interface HeldType {
  readonly group: string;
  /** Absent: every type of the group. */
  readonly resources?: readonly string[];
  readonly why: string;
}

const POLICY = 'it changes or weakens what a policy engine lets into the cluster';
const DEPLOYER = 'a controller of the cluster creates with its own rights whatever it names';
const RIGHTS = 'it says who may do what in the cluster';
const CLOUD = 'a controller of the cluster gives rights in the cloud with its own';
const NODE = 'it runs on nodes as root';

/**
 * What guards the cluster, and what a controller with the rights of the cluster acts on. Objects of the API server's own
 * that it makes by itself are skipped before.
 */
export const HELD_TYPES: readonly HeldType[] = [
  { group: 'admissionregistration.k8s.io', why: 'it can read, change or refuse every API request' },
  {
    group: 'apiregistration.k8s.io',
    resources: ['apiservices'],
    why: 'it serves API requests in place of the API server',
  },
  {
    group: 'certificates.k8s.io',
    resources: ['clustertrustbundles'],
    why: 'it says whom the cluster trusts',
  },
  {
    group: 'flowcontrol.apiserver.k8s.io',
    resources: ['flowschemas', 'prioritylevelconfigurations'],
    why: 'it says whose requests the API server serves first',
  },
  { group: 'node.k8s.io', resources: ['runtimeclasses'], why: 'it chooses how nodes isolate containers' },
  {
    group: 'resource.k8s.io',
    resources: ['deviceclasses', 'devicetaintrules'],
    why: 'it says who gets the devices of nodes',
  },
  { group: 'networking.k8s.io', resources: ['servicecidrs'], why: 'it changes the addresses of Services' },
  { group: 'policy', resources: ['podsecuritypolicies'], why: POLICY },
  { group: 'security.openshift.io', resources: ['securitycontextconstraints'], why: POLICY },
  { group: 'authorization.openshift.io', why: RIGHTS },
  { group: 'user.openshift.io', why: RIGHTS },
  { group: 'oauth.openshift.io', why: RIGHTS },
  { group: 'management.cattle.io', why: RIGHTS },
  { group: 'iamauthenticator.k8s.aws', why: RIGHTS },
  { group: 'iam.services.k8s.aws', why: CLOUD },
  { group: 'eks.services.k8s.aws', why: CLOUD },
  { group: 'iam.aws.upbound.io', why: CLOUD },
  { group: 'iam.aws.m.upbound.io', why: CLOUD },
  { group: 'kyverno.io', why: POLICY },
  { group: 'policies.kyverno.io', why: POLICY },
  { group: 'templates.gatekeeper.sh', why: POLICY },
  { group: 'constraints.gatekeeper.sh', why: POLICY },
  { group: 'config.gatekeeper.sh', why: POLICY },
  { group: 'mutations.gatekeeper.sh', why: POLICY },
  { group: 'expansion.gatekeeper.sh', why: POLICY },
  { group: 'externaldata.gatekeeper.sh', why: POLICY },
  { group: 'policies.kubewarden.io', why: POLICY },
  {
    group: 'argoproj.io',
    resources: ['applications', 'applicationsets', 'appprojects'],
    why: DEPLOYER,
  },
  { group: 'helm.cattle.io', why: DEPLOYER },
  { group: 'k3s.cattle.io', resources: ['addons'], why: DEPLOYER },
  { group: 'fleet.cattle.io', why: DEPLOYER },
  { group: 'upgrade.cattle.io', resources: ['plans'], why: NODE },
  {
    group: 'operators.coreos.com',
    resources: [
      'subscriptions',
      'clusterserviceversions',
      'installplans',
      'catalogsources',
      'operatorgroups',
    ],
    why: DEPLOYER,
  },
  { group: 'pkg.crossplane.io', why: DEPLOYER },
  { group: 'kubernetes.crossplane.io', resources: ['objects'], why: DEPLOYER },
  { group: 'kubernetes.m.crossplane.io', resources: ['objects'], why: DEPLOYER },
  { group: 'helm.crossplane.io', resources: ['releases'], why: DEPLOYER },
  { group: 'helm.m.crossplane.io', resources: ['releases'], why: DEPLOYER },
  { group: 'kappctrl.k14s.io', resources: ['apps'], why: DEPLOYER },
  { group: 'packaging.carvel.dev', resources: ['packageinstalls'], why: DEPLOYER },
  { group: 'velero.io', resources: ['restores', 'podvolumerestores', 'datadownloads'], why: DEPLOYER },
  { group: 'machineconfiguration.openshift.io', why: NODE },
  { group: 'karpenter.k8s.aws', resources: ['ec2nodeclasses'], why: NODE },
];

/** Types of which an object is held unless it names the account of its own namespace with whose rights it acts. */
export const FLUX: readonly HeldType[] = [
  { group: 'kustomize.toolkit.fluxcd.io', resources: ['kustomizations'], why: DEPLOYER },
  { group: 'helm.toolkit.fluxcd.io', resources: ['helmreleases'], why: DEPLOYER },
];

/** Why an object of a type is held whatever is in it; undefined if its content decides. `plural[.group]`. */
export function heldType(groupResource: string): string | undefined {
  const dot = groupResource.indexOf('.');
  const [resource, group] = [groupResource.slice(0, dot), groupResource.slice(dot + 1)];
  if (dot < 0) return undefined;
  return HELD_TYPES.find((t) => t.group === group && (t.resources?.includes(resource) ?? true))?.why;
}
