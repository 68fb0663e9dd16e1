#!/usr/bin/env node
// Plain JavaScript, so that a Node.js that is too old for the source can still say so.
import './check-node.js';
import * as module from 'node:module';
import { fileURLToPath } from 'node:url';

// Keeping the compiled code beside the packages halves the start. If the folder is not writable, nothing is kept.
module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/cluster-ledger', import.meta.url)));
await import('../src/cli/cli.ts');
