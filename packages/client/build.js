/** Builds dist/: the modules, their types, and the types of the contract. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const here = import.meta.dirname;
const dist = join(here, 'dist');
const compiler = createRequire(import.meta.url).resolve('@typescript/native/package.json');

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [join(dirname(compiler), 'bin/tsc'), '-p', here], { stdio: 'inherit' });
// In the repository src/contract.ts refers to the types beside docs/openapi.json; the package has them itself.
copyFileSync(join(here, '../../docs/openapi.d.ts'), join(dist, 'contract.d.ts'));
