import { HoldfastError } from '../contract/holdfast-error.ts';
import type { KubeClient } from '../ports/kubernetes.ts';

/** Whether the API server answers this identity at all, as opposed to the API of one type. */
export async function answers(cluster: KubeClient): Promise<boolean> {
  try {
    await cluster.call('GET', '/api/v1');
    return true;
  } catch (error) {
    if (error instanceof HoldfastError) return false;
    throw error;
  }
}
