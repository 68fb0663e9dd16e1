import { Buffer as BufferOfBrowsers } from 'buffer/index.js';

// The verifier uses the class that Node.js has as a global. This module comes before it.
Object.assign(globalThis, { Buffer: BufferOfBrowsers });
