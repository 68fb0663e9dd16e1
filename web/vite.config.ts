import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Replaced by the server in every answer, so that the page may add style elements and nobody else. */
const NONCE_PLACEHOLDER = '__CSP_NONCE__';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  html: { cspNonce: NONCE_PLACEHOLDER },
  build: {
    outDir: join(import.meta.dirname, '../dist/console'),
    emptyOutDir: true,
    manifest: true,
    // The policy of the page allows no data: URLs.
    assetsInlineLimit: 0,
    target: 'es2023',
    reportCompressedSize: false,
  },
});
