import type { JsonRecord } from '../bytes/json-value.ts';
import {
  entriesField,
  flagField,
  numberField,
  recordField,
  recordsField,
  textField,
  textsField,
} from './strict-fields.ts';

/** The version of Kubernetes whose Pod Security level `baseline` the table is. */
export const BASELINE_OF = 'v1.36';

/** A pod or a pod template, as an archive has it. */
export interface ArchivedPod {
  readonly spec: JsonRecord;
  /** The metadata of the pod or of the template. */
  readonly metadata: JsonRecord;
}

/** One check of `baseline`. */
export interface PodCheck {
  /** Its name in Kubernetes. */
  readonly id: string;
  /** What it allows, for the page. */
  readonly allows: string;
  /** What is wrong, after "its "; undefined if nothing is. @throws OddField. */
  readonly find: (pod: ArchivedPod) => string | undefined;
}

const CONTAINERS = ['containers', 'initContainers', 'ephemeralContainers'] as const;

const containersOf = ({ spec }: ArchivedPod): JsonRecord[] =>
  CONTAINERS.flatMap((list) => recordsField(spec, list));
const nameOf = (container: JsonRecord): string => textField(container, 'name') ?? '';

/** A check of each container. */
const ofContainers =
  (wrong: (container: JsonRecord, security: JsonRecord) => string | undefined) => (pod: ArchivedPod) => {
    for (const container of containersOf(pod)) {
      const found = wrong(container, recordField(container, 'securityContext'));
      if (found) return `${['container', textField(container, 'name')].filter(Boolean).join(' ')} ${found}`;
    }
    return undefined;
  };

/** A check of the security contexts of the pod and of its containers. */
const ofContexts = (wrong: (security: JsonRecord) => string | undefined) => (pod: ArchivedPod) => {
  const found = wrong(recordField(pod.spec, 'securityContext'));
  if (found) return `pods have ${found}`;
  return ofContainers((_, security) => {
    const own = wrong(security);
    return own && `has ${own}`;
  })(pod);
};

const ofAnnotations = (pattern: RegExp, allowed: RegExp) => (pod: ArchivedPod) => {
  const wrong = entriesField(pod.metadata, 'annotations').find(
    ([k, v]) => pattern.test(k) && !allowed.test(v),
  );
  return wrong && `pods have the annotation ${wrong[0]}=${wrong[1]}`;
};

const CAPABILITIES = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];
const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
];
const SELINUX = ['container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];
const PROFILES = ['RuntimeDefault', 'Localhost'];
const HOST_NAMESPACES = ['hostPID', 'hostIPC', 'hostNetwork'];
const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');

function profile(security: JsonRecord, field: string): string | undefined {
  const type = textField(recordField(security, field), 'type');
  return type !== undefined && !PROFILES.includes(type) ? `${field} ${type}` : undefined;
}

function seLinux(security: JsonRecord): string | undefined {
  const options = recordField(security, 'seLinuxOptions');
  const type = textField(options, 'type');
  if (type !== undefined && !SELINUX.includes(type)) return `the SELinux type ${type}`;
  const set = ['user', 'role'].find((field) => textField(options, field) !== undefined);
  return set && `a SELinux ${set}`;
}

const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'];
const HANDLERS = ['postStart', 'preStop'];

function probedHost(container: JsonRecord): string | undefined {
  const lifecycle = recordField(container, 'lifecycle');
  const handlers = [
    ...PROBES.map((probe) => recordField(container, probe)),
    ...HANDLERS.map((handler) => recordField(lifecycle, handler)),
  ];
  const hosts = handlers.flatMap((handler) =>
    ['httpGet', 'tcpSocket'].flatMap((call) => textField(recordField(handler, call), 'host') ?? []),
  );
  return hosts[0] && `has its node call ${hosts[0]}`;
}

/**
 * The checks of the Pod Security level `baseline`, from k8s.io/pod-security-admission/policy. Stricter than there: `procMount`
 * also with `hostUsers: false`, which older versions ignore; `gitRepo`; `ulimits` of later versions.
 */
export const BASELINE: readonly PodCheck[] = [
  {
    id: 'hostNamespaces',
    allows: `none of ${code(HOST_NAMESPACES)}`,
    find: ({ spec }) => {
      const field = HOST_NAMESPACES.find((name) => flagField(spec, name));
      return field && `pods use host namespaces (${field})`;
    },
  },
  {
    id: 'privileged',
    allows: '`privileged` is false',
    find: ofContainers((_, security) => (flagField(security, 'privileged') ? 'is privileged' : undefined)),
  },
  {
    id: 'capabilities_baseline',
    allows: `adds only ${code(CAPABILITIES)}`,
    find: ofContainers((_, security) => {
      const added = textsField(recordField(security, 'capabilities'), 'add');
      const wrong = added.find((name) => !CAPABILITIES.includes(name));
      return wrong && `has the capability ${wrong}`;
    }),
  },
  {
    id: 'hostPathVolumes',
    allows: 'no volume is a `hostPath`; no `gitRepo` either, which clones as root on the node',
    find: ({ spec }) => {
      for (const volume of recordsField(spec, 'volumes'))
        for (const source of ['hostPath', 'gitRepo'])
          if (volume[source] != null) return `pods mount a ${source} (volume ${textField(volume, 'name')})`;
      return undefined;
    },
  },
  {
    id: 'hostPorts',
    allows: '`hostPort` is 0',
    find: ofContainers((container) => {
      const port = recordsField(container, 'ports')
        .map((p) => numberField(p, 'hostPort') ?? 0)
        .find((p) => p !== 0);
      return port === undefined ? undefined : `takes port ${port} of its node`;
    }),
  },
  {
    id: 'appArmorProfile',
    allows: `type ${code(PROFILES)}; annotation \`runtime/default\`, \`localhost/*\``,
    find: (pod) =>
      ofContexts((security) => profile(security, 'appArmorProfile'))(pod) ??
      ofAnnotations(
        /^container\.apparmor\.security\.beta\.kubernetes\.io\//,
        /^(|runtime\/default|localhost\/.*)$/s,
      )(pod),
  },
  {
    id: 'seLinuxOptions',
    allows: `type ${code(SELINUX)}; no user, no role`,
    find: ofContexts(seLinux),
  },
  {
    id: 'procMount_baseline',
    allows: '`procMount` is `Default`',
    find: ofContainers((_, security) => {
      const mount = textField(security, 'procMount');
      return mount !== undefined && mount !== 'Default' ? `has procMount ${mount}` : undefined;
    }),
  },
  {
    id: 'seccompProfile_baseline',
    allows: `type ${code(PROFILES)}; annotation \`runtime/default\`, \`docker/default\`, \`localhost/*\``,
    find: (pod) =>
      ofContexts((security) => profile(security, 'seccompProfile'))(pod) ??
      ofAnnotations(
        /^(container\.)?seccomp\.security\.alpha\.kubernetes\.io\//,
        /^(runtime\/default|docker\/default|localhost\/.*)$/s,
      )(pod),
  },
  {
    id: 'sysctls',
    allows: code(SYSCTLS),
    find: ({ spec }) => {
      const set = recordsField(recordField(spec, 'securityContext'), 'sysctls').map(nameOf);
      const wrong = set.find((name) => !SYSCTLS.includes(name));
      return wrong === undefined ? undefined : `pods set the sysctl ${wrong}`;
    },
  },
  {
    id: 'windowsHostProcess',
    allows: '`hostProcess` is false',
    find: ofContexts((security) =>
      flagField(recordField(security, 'windowsOptions'), 'hostProcess')
        ? 'windowsOptions.hostProcess'
        : undefined,
    ),
  },
  {
    id: 'hostProbesAndHostLifecycle',
    allows: 'no `host` in probes and lifecycle handlers',
    find: ofContainers(probedHost),
  },
  {
    id: 'ulimits',
    allows: 'no `ulimits`, a field of later versions',
    find: ofContainers((_, security) => (security.ulimits == null ? undefined : 'sets ulimits')),
  },
];
