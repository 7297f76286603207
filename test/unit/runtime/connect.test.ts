import { describe, expect, it } from 'vitest';
import type { KubeClient } from '../../../functions/ports/kubernetes.ts';
import { thenClose } from '../../../functions/runtime/connect.ts';

/** A client that knows how often it was closed. */
function client() {
  const closed = { times: 0 };
  const cluster: KubeClient = {
    call: () => Promise.reject(new Error('nobody calls it')),
    socket: () => {
      throw new Error('nobody calls it');
    },
    close: async () => {
      closed.times++;
    },
  };
  return { cluster, closed };
}

describe('the connection to a cluster', () => {
  it('is closed when the work is done, and not before', async () => {
    const { cluster, closed } = client();
    const during = await thenClose(cluster, async () => {
      await Promise.resolve();
      return closed.times;
    });
    expect([during, closed.times]).toEqual([0, 1]);
  });

  it('is closed when the work fails, and the failure is told', async () => {
    const { cluster, closed } = client();
    await expect(thenClose(cluster, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(closed.times).toBe(1);
  });
});
