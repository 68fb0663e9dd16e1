/**
 * A `connection` reference says where the credential of a cluster is kept: `<source>:<name>`, or the same with a slash:
 * `argocd:argocd/c1` and `argocd/argocd/c1` mean the same.
 */
export function parseReference(
  reference: string,
): { readonly scheme: string; readonly name: string } | undefined {
  const match = /^([a-z][a-z0-9-]*)[:/](.+)$/.exec(reference);
  return match === null ? undefined : { scheme: match[1] as string, name: match[2] as string };
}

/** One spelling for each reference, so that two can be compared; what is no reference stays as it is. */
export function canonicalReference(reference: string): string {
  const parsed = parseReference(reference);
  return parsed === undefined ? reference : `${parsed.scheme}:${parsed.name}`;
}
