import { writeFileSync } from 'node:fs';
import { bundledFiles } from '../bundle.ts';
import { noticeOf, packagesOf } from './notice.ts';

// Writes what is bundled into the functions, and under which licences.
writeFileSync(new URL('../../NOTICE', import.meta.url), noticeOf(packagesOf(bundledFiles())));
