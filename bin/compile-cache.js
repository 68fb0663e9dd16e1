// Keeps the compiled code of the sources beside the packages, which halves a start. If the folder is not writable, nothing is kept.
import * as module from 'node:module';
import { join } from 'node:path';

module.enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/cluster-ledger'));
