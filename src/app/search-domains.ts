import { readFileSync } from 'node:fs';

const MAX_DOMAINS = 16;
const DOMAIN = /^(?=.{1,253}$)(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}$/;

/**
 * Returns the search domains of the resolver of the cluster that the ledger runs in; none outside a cluster. Names such
 * as `my-vcluster.team-x.svc` are looked up with them.
 * @param environment the variables that Kubernetes gives to each container.
 * @param file the settings of the resolver (resolv.conf(5)).
 */
export function searchDomains(
  environment: Readonly<Record<string, string>>,
  file = '/etc/resolv.conf',
): readonly string[] {
  if (environment['KUBERNETES_SERVICE_HOST'] === undefined) return [];
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  // The last of these lines counts.
  const [, list = ''] = [...text.matchAll(/^(?:search|domain)[ \t]+(.*)$/gm)].at(-1) ?? [];
  const domains = list.split(/\s+/).map((domain) => domain.replace(/\.$/, ''));
  return domains.filter((domain) => DOMAIN.test(domain)).slice(0, MAX_DOMAINS);
}
