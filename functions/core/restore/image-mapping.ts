import { recordOf, recordsIn } from '../bytes/json-value.ts';
import { podSpecOf } from '../kubernetes/pod-spec.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

type Mapping = Readonly<Record<string, string>>;

/** Maps the images of every container in an object's pod spec or pod template. Modifies `object`. */
export function mapImages(object: KubeObject, mapping: Mapping): void {
  if (Object.keys(mapping).length === 0) return;
  const pod = recordOf(podSpecOf(object));
  for (const container of [...recordsIn(pod?.containers), ...recordsIn(pod?.initContainers)])
    if (typeof container.image === 'string' && container.image !== '')
      container.image = mapImage(container.image, mapping);
}

/** The image after the mapping with the longest matching prefix. Short names are resolved to docker.io and docker.io/library. */
export function mapImage(image: string, mapping: Mapping): string {
  const [first = '', ...rest] = image.split('/');
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const full = hasRegistry ? image : `docker.io/${rest.length === 0 ? 'library/' : ''}${image}`;
  const fits = (prefix: string) =>
    full === prefix || full.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
  const [best] = Object.keys(mapping)
    .filter(fits)
    .sort((a, b) => b.length - a.length);
  return best === undefined ? image : `${mapping[best]}${full.slice(best.length)}`;
}
