/**
 * Prints the packages that are installed with the ledger as a CycloneDX document (npm run sbom), from package.json and
 * package-lock.json. `npm sbom --omit=dev` leaves out packages that tools need as well.
 */

import { readFileSync } from 'node:fs';

/** @param {string} file */
const json = (file) => JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'));

const { name, version, license } = json('package.json');
const { packages } = json('package-lock.json');

const components = Object.entries(packages)
  .filter(
    ([path, { dev, devOptional, link }]) => path.includes('node_modules/') && !dev && !devOptional && !link,
  )
  .map(([path, locked]) => {
    const installed = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const packageName = locked.name ?? installed;
    const purl = `pkg:npm/${packageName.replace(/^@/, '%40')}@${locked.version}`;
    return {
      type: 'library',
      'bom-ref': `${purl}#${path}`,
      name: packageName,
      version: locked.version,
      purl,
      hashes: [
        {
          alg: 'SHA-512',
          content: Buffer.from(locked.integrity.replace(/^sha512-/, ''), 'base64').toString('hex'),
        },
      ],
      ...(locked.license && {
        licenses: [
          /[ (]/.test(locked.license) ? { expression: locked.license } : { license: { id: locked.license } },
        ],
      }),
    };
  });

const document = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  metadata: { component: { type: 'application', name, version, licenses: [{ license: { id: license } }] } },
  components,
};
process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
