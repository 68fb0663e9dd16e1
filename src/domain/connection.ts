/**
 * Parses the `connection` of a registration, which says where the credential of a cluster is kept. It is
 * `<scheme>:<name>` or `<scheme>/<name>`: `argocd:argocd/c1` and `argocd/argocd/c1` mean the same.
 * @returns `undefined` if the text does not have this form.
 */
export function parseReference(
  reference: string,
): { readonly scheme: string; readonly name: string } | undefined {
  const match = /^([a-z][a-z0-9-]*)[:/](.+)$/.exec(reference);
  return match === null ? undefined : { scheme: match[1] as string, name: match[2] as string };
}

/** Returns the spelling `<scheme>:<name>` of a reference, so that two can be compared. Other text is returned unchanged. */
export function canonicalReference(reference: string): string {
  const parsed = parseReference(reference);
  return parsed === undefined ? reference : `${parsed.scheme}:${parsed.name}`;
}
