import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Replaced by the server in every answer, so that the page may add style elements and nobody else. */
const NONCE_PLACEHOLDER = '__CSP_NONCE__';

/** Compresses every file once, better than the server could while a browser waits. */
const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  async writeBundle({ dir = '' }) {
    const assets = join(dir, 'assets');
    const params = { [constants.BROTLI_PARAM_QUALITY]: 10 };
    const names = (await readdir(assets)).filter((name) => /\.(js|css|svg)$/.test(name));
    await Promise.all(
      names.map(async (name) => {
        const content = await readFile(join(assets, name));
        await writeFile(join(assets, `${name}.br`), await promisify(brotliCompress)(content, { params }));
      }),
    );
  },
};

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), compressed],
  // The verifier of evidence files runs in browsers too.
  resolve: { alias: { 'node:crypto': join(import.meta.dirname, 'verifier/node-crypto.ts') } },
  worker: { format: 'es' },
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
