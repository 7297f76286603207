import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  entryPaths,
  FORMAT_VERSION,
  parsePreferredPath,
  VERSION_ENTRY,
} from '../../../../functions/core/backup/archive.ts';
import { groupResource } from '../../../../functions/core/kubernetes/resources.ts';

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
/** Names of roles may hold colons, names of most other things dots. */
const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9.:]{0,200}[a-z0-9])?$/);
const group = fc.oneof(
  fc.constant(''),
  fc.tuple(label, label).map(([a, b]) => `${a}.${b}`),
);
const type = fc.record({
  group,
  version: fc.constantFrom('v1', 'v1beta1', 'v2alpha1'),
  resource: label,
  kind: fc.constant('Thing'),
  namespaced: fc.boolean(),
});

describe('the path of an object in an archive', () => {
  it('stands below its resource and below its preferred version', () => {
    const deployments = {
      group: 'apps',
      version: 'v1',
      resource: 'deployments',
      kind: 'D',
      namespaced: true,
    };
    expect(entryPaths(deployments, 'web', 'shop')).toEqual([
      'resources/deployments.apps/namespaces/shop/web.json',
      'resources/deployments.apps/v1-preferredversion/namespaces/shop/web.json',
    ]);
  });

  it('says cluster for an object without a namespace', () => {
    const nodes = { group: '', version: 'v1', resource: 'nodes', kind: 'Node', namespaced: false };
    expect(entryPaths(nodes, 'n1')[0]).toBe('resources/nodes/cluster/n1.json');
  });

  it('gives the object back', () => {
    fc.assert(
      fc.property(type, name, fc.option(label, { nil: undefined }), (t, n, namespace) => {
        const [, preferred] = entryPaths(t, n, namespace);
        expect(parsePreferredPath(preferred)).toEqual({
          groupResource: groupResource(t),
          version: t.version,
          namespace,
          name: n,
        });
      }),
    );
  });

  it('is read once: the plain path names no object', () => {
    fc.assert(
      fc.property(type, name, fc.option(label, { nil: undefined }), (t, n, namespace) => {
        expect(parsePreferredPath(entryPaths(t, n, namespace)[0])).toBeUndefined();
      }),
    );
  });

  it('is not the path of the format version', () => {
    expect(parsePreferredPath(VERSION_ENTRY.path)).toBeUndefined();
    expect(VERSION_ENTRY.content).toBe(`${FORMAT_VERSION}\n`);
  });

  it.each([
    'resources/pods/v1-preferredversion/namespaces/../web.json',
    'resources/../v1-preferredversion/cluster/web.json',
    'resources/./v1-preferredversion/cluster/web.json',
    'resources/pods/v1-preferredversion/namespaces/shop/../web.json',
    'resources/pods/v1-preferredversion/namespaces/shop/../../web.json',
    '../resources/pods/v1-preferredversion/cluster/web.json',
    '/resources/pods/v1-preferredversion/cluster/web.json',
    'resources/pods/v1-preferredversion/namespaces/shop/a/web.json',
    'resources/pods/v1-preferredversion/namespaces/shop/.json',
    'resources/pods/v1-preferredversion/cluster/web.json.gz',
    'resources/pods/v1-preferredversion/cluster/web.json\nx',
  ])('is refused when it leads elsewhere: %j', (path) => {
    expect(parsePreferredPath(path)).toBeUndefined();
  });

  it.each([
    'resources/pods/v1-preferredversion/namespaces/shop/...json',
    'resources/pods/v1-preferredversion/namespaces/shop/..json',
    'resources/pods/..-preferredversion/namespaces/shop/web.json',
  ])('is refused when a part it yields is a dot or two: %j', (path) => {
    expect(parsePreferredPath(path)).toBeUndefined();
  });
});
