import { storage } from '../base/settings.ts';

/** The default class of the sandbox. Volumes are made where the pod runs, as real local storage does. */
export const storageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: {
    name: storage.className,
    annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
  },
  provisioner: storage.provisioner,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
};
