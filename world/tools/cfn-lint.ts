import { versions } from '../base/settings.ts';
import type { Tool } from './provide.ts';
import { pipInstall } from './python.ts';

/** cfn-lint with all its packages in a folder of its own: `PYTHONPATH=FOLDER python3 FOLDER/bin/cfn-lint`. */
export const cfnLintTool: Tool = {
  name: 'cfn-lint',
  version: versions.cfnLint,
  build: (folder) => pipInstall(folder, 'cfn-lint-requirements.txt'),
};
