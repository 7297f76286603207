import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package of which something is in a function's code. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression of its package.json. */
  readonly license: string;
  /** Text of its licence file, and of its NOTICE where it has one. */
  readonly texts: readonly string[];
}

/** Licences whose code may be in a work under Apache-2.0, with what NOTICE gives. */
export const COMPATIBLE: readonly string[] = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
];

/** The packages that files are of, each once, by name. Files outside node_modules are the project's own. */
export function packagesOf(files: readonly string[]): BundledPackage[] {
  const folders = files.flatMap(
    (file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file) ?? [],
  );
  const packages = [...new Set(folders)].map(readPackage);
  const byName = new Map(packages.map((p) => [`${p.name} ${p.version}`, p]));
  return [...byName.values()].sort((a, b) => (labelOf(a) < labelOf(b) ? -1 : 1));
}

/** The text of NOTICE. Throws when a package's licence is not one of those that are compatible. */
export function noticeOf(packages: readonly BundledPackage[]): string {
  const refused = packages.filter((p) => !COMPATIBLE.includes(p.license));
  if (refused.length > 0)
    throw new Error(
      `not under a licence that Apache-2.0 may include: ${refused.map(labelOf).join(', ')}; ` +
        'use another package, or add the licence to COMPATIBLE in infra/notice/notice.ts if it may be included',
    );
  const owners = Map.groupBy(
    packages.flatMap((p) => p.texts.map((text) => ({ text, label: labelOf(p) }))),
    ({ text }) => text,
  );
  const texts = [...owners].map(([text, of]) => [...of.map((o) => o.label), '', text].join('\n'));
  return [HEAD, packages.map(labelOf).join('\n'), ...texts].join(`\n\n${'-'.repeat(80)}\n\n`).concat('\n');
}

const HEAD = `Holdfast, under the Apache License 2.0: see LICENSE.

The code of its Lambda functions includes parts of the packages below, which are under
licences of their own. \`npm run notice\` writes this file.`;

const labelOf = ({ name, version, license }: BundledPackage) => `${name} ${version} (${license})`;

function readPackage(folder: string): BundledPackage {
  const { name, version, license, author } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as {
    name: string;
    version: string;
    license?: string;
    author?: string | { name: string };
  };
  // The text of Apache-2.0 is that of our own LICENSE: only a NOTICE is to be passed on.
  const wanted = license === 'Apache-2.0' ? /^notice(\.|$)/i : /^(licen[cs]e|notice)(\.|-|$)/i;
  const texts = readdirSync(folder)
    .filter((file) => wanted.test(file) && existsSync(join(folder, file)))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').replace(/\r/g, '').trim());
  const owner = typeof author === 'string' ? author : author?.name;
  if (texts.length === 0 && license === 'MIT' && owner) texts.push(`Copyright (c) ${owner}\n\n${MIT}`);
  return { name, version, license: license ?? 'none', texts };
}

/** For packages that name the licence and bring no text of it. */
const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense,
and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so,
subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN
NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY,
WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
