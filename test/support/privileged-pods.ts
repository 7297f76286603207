import { account, type Cases, container, pod, stored, template, wideBinding } from './privileged-builders.ts';

/** Pods and workloads; those with a number are what an attacker tried. */
export const PODS: Cases = {
  '30 privileged': { stored: container({ privileged: true }) },
  '31 hostPath': { stored: pod({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }) },
  '32 hostPID': { stored: pod({ hostPID: true }) },
  '32 hostIPC': { stored: pod({ hostIPC: true }) },
  '32 hostNetwork': { stored: pod({ hostNetwork: true }) },
  '33 capabilities of the node': {
    stored: container({ capabilities: { add: ['SYS_ADMIN', 'SYS_MODULE', 'BPF'] } }),
  },
  '33 seccomp Unconfined': { stored: container({ seccompProfile: { type: 'Unconfined' } }) },
  '33 AppArmor Unconfined': { stored: container({ appArmorProfile: { type: 'Unconfined' } }) },
  '34 every capability': { stored: container({ capabilities: { add: ['ALL'] } }) },
  '35 a node of its own choice': {
    stored: pod({ nodeName: 'cp1', tolerations: [{ operator: 'Exists' }] }),
    through: 'the node of a pod is not restored, and a toleration gives no rights on a node',
  },
  '36 procMount Unmasked': { stored: container({ procMount: 'Unmasked' }) },
  '37 sysctls of the kernel': {
    stored: pod({ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }),
  },
  '38 a privileged ephemeral container': {
    stored: pod({ ephemeralContainers: [{ name: 'e', securityContext: { privileged: true } }] }),
  },
  '39 a port of the node': { stored: container({}, { ports: [{ containerPort: 1, hostPort: 53 }] }) },
  '40 a process of a Windows node': {
    stored: pod({ securityContext: { windowsOptions: { hostProcess: true } } }),
  },
  '41 in kube-system with the account of a controller': {
    stored: pod({ serviceAccountName: 'clusterrole-aggregation-controller' }, 'kube-system'),
  },
  '42 in holdfast': { stored: pod({}, 'holdfast') },
  '43 inline csi': { stored: pod({ volumes: [{ name: 'v', csi: { driver: 'hostpath.csi.k8s.io' } }] }) },
  '44 privileged, without kind': {
    stored: stored('pods', 'evil', {
      spec: { hostPID: true, containers: [{ name: 'c', securityContext: { privileged: true } }] },
    }),
  },
  '45 a privileged CronJob': {
    stored: stored('cronjobs.batch', 'evil', {
      kind: 'CronJob',
      spec: {
        jobTemplate: {
          spec: {
            template: { spec: { containers: [{ name: 'c', securityContext: { privileged: true } }] } },
          },
        },
      },
    }),
  },
  '46 a privileged CronJob without kind': {
    stored: stored('cronjobs.batch', 'evil', {
      spec: {
        jobTemplate: {
          spec: {
            template: { spec: { containers: [{ name: 'c', securityContext: { privileged: true } }] } },
          },
        },
      },
    }),
  },
  '47 a privileged PodTemplate': {
    stored: stored('podtemplates', 'evil', {
      template: { spec: { containers: [{ name: 'c', securityContext: { privileged: true } }] } },
    }),
  },
  '48 a Rollout': { stored: template('rollouts.argoproj.io', { hostPID: true }) },
  'a Rollout of which only the template is known': {
    stored: stored('rollouts.argoproj.io', 'evil', { spec: { template: { spec: { hostPID: true } } } }),
  },
  'a privileged init container': {
    stored: pod({ initContainers: [{ name: 'i', securityContext: { privileged: true } }] }),
  },
  'AppArmor unconfined by annotation': {
    stored: pod({}, 'evil', {
      annotations: { 'container.apparmor.security.beta.kubernetes.io/c': 'unconfined' },
    }),
  },
  'a SELinux type of the node': { stored: pod({ securityContext: { seLinuxOptions: { type: 'spc_t' } } }) },
  'a SELinux user': { stored: container({ seLinuxOptions: { user: 'system_u' } }) },
  'probes of another host': {
    stored: container({}, { livenessProbe: { httpGet: { host: '169.254.169.254', port: 80 } } }),
  },
  'a hook that calls another host': {
    stored: container({}, { lifecycle: { preStop: { tcpSocket: { host: '10.0.0.1' } } } }),
  },
  'limits of a process of the node': { stored: container({ ulimits: [{ name: 'nofile' }] }) },
  'a clone by the node': {
    stored: pod({ volumes: [{ name: 'v', gitRepo: { repository: 'https://evil.example' } }] }),
  },
  'a DaemonSet of an old group': { stored: template('daemonsets.extensions', { hostPID: true }) },
  'a revision of a StatefulSet': {
    stored: stored('controllerrevisions.apps', 'evil', {
      data: { spec: { template: { spec: { hostPID: true, containers: [{ name: 'c' }] } } } },
    }),
  },
  'a node that a template names': { stored: template('deployments.apps', { nodeName: 'cp1' }) },
  'a workload in kube-system': { stored: template('deployments.apps', {}, 'kube-system') },
  'containers that are no list': {
    stored: pod({ containers: { c: { securityContext: { privileged: true } } } }),
  },
  'a workflow of privileged containers': {
    stored: stored('workflows.argoproj.io', 'evil', {
      spec: { templates: [{ name: 't', container: { image: 'i', securityContext: { privileged: true } } }] },
    }),
  },
  'a training job of pods of the node': {
    stored: stored('pytorchjobs.kubeflow.org', 'evil', {
      spec: {
        replicas: {
          Worker: { template: { spec: { hostNetwork: true, containers: [{ name: 'c', image: 'i' }] } } },
        },
      },
    }),
  },
  'an ordinary pod': {
    stored: pod({
      serviceAccountName: 'web',
      securityContext: {
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
        sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }],
      },
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 's', csi: { driver: 'secrets-store.csi.k8s.io' } },
      ],
      containers: [
        {
          name: 'c',
          ports: [{ containerPort: 80, hostPort: 0 }],
          securityContext: { privileged: false, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
          livenessProbe: { httpGet: { path: '/', port: 80 } },
        },
      ],
    }),
    through: 'it is as Pod Security baseline wants it',
  },
  'a pod with the account of an operator': {
    stored: template('deployments.apps', { serviceAccountName: 'operator' }, 'operators'),
    with: [wideBinding('cluster-admin', [account('operators', 'operator')])],
    through: 'what gives an account its power is held, and whoever runs pods in the namespace has it already',
  },
};
