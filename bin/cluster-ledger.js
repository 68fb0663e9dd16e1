#!/usr/bin/env node
// Plain JavaScript, so that a Node.js that is too old for the source can still say so.
import './check-node.js';

await import('../src/cli/cli.ts');
