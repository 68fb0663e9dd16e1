import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { hasHelm, type Manifest, NO_HELM, ON_EVENTSTOREDB, podOf, render } from '../support/helm.ts';
import { isInstalled } from '../support/page.ts';

const KUSTOMIZE = join(import.meta.dirname, '../../deploy/kustomize');
const hasKubectl = isInstalled('kubectl', 'version', '--client');
const HEAD = '# Made from the Helm chart: npx vitest run test/deploy/kustomize.test.ts -u\n';
const { storeCa: _, ...keys } = ON_EVENTSTOREDB.secret.keys;

/** The bases, each with the values of the chart from which it is made. */
const BASES = {
  base: { ...ON_EVENTSTOREDB, replicaCount: 2, secret: { keys }, fullnameOverride: 'cluster-ledger' },
  embedded: { fullnameOverride: 'cluster-ledger' },
};

/** Returns the objects of the chart without those that kustomize makes, and without what is of Helm. */
async function objectsOf(values: object): Promise<Manifest[]> {
  const objects = await render({ ...values });
  return objects
    .filter(({ kind }) => kind !== 'ConfigMap' && kind !== 'Pod')
    .map((object) => {
      const { namespace: _, ...metadata } = object.metadata;
      const plain = structuredClone({ ...object, metadata });
      for (const labels of labelsIn(plain)) {
        delete labels['helm.sh/chart'];
        delete labels['app.kubernetes.io/managed-by'];
        delete labels['app.kubernetes.io/version'];
        if (labels['app.kubernetes.io/instance'] !== undefined)
          labels['app.kubernetes.io/instance'] = 'cluster-ledger';
      }
      delete plain.spec?.template?.metadata.annotations;
      return plain;
    });
}

/** Returns every set of labels in an object, also those that select pods. */
function labelsIn(value: Manifest): Record<string, string>[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(labelsIn);
  return 'app.kubernetes.io/instance' in value ? [value, ...inner] : inner;
}

describe.skipIf(!hasHelm)(`the bases of kustomize, made from the chart ${hasHelm ? '' : NO_HELM}`, () => {
  test.each(Object.entries(BASES))(
    'deploy/kustomize/%s has the objects of the chart',
    async (name, values) => {
      const objects = await objectsOf(values);
      const text = HEAD + objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n');
      await expect(text).toMatchFileSnapshot(join(KUSTOMIZE, name, 'cluster-ledger.yaml'));
    },
  );
});

describe.skipIf(!hasKubectl)(
  `kubectl kustomize ${hasKubectl ? '' : 'NOT RUN: kubectl is not installed'}`,
  () => {
    test.each(Object.keys(BASES))(
      'builds %s, with the settings in a ConfigMap that the pods mount',
      (name) => {
        const built = execFileSync('kubectl', ['kustomize', join(KUSTOMIZE, name)], { encoding: 'utf8' });
        const objects: Manifest[] = parseAllDocuments(built).map((document) => document.toJS());
        const config = objects.find(({ kind }) => kind === 'ConfigMap');
        expect(config.metadata.name).toMatch(/^cluster-ledger-[0-9a-z]{10}$/);
        const [pod] = objects.map(podOf).filter((found) => found !== undefined);
        expect(pod.volumes).toContainEqual({ name: 'config', configMap: { name: config.metadata.name } });
      },
    );
  },
);
