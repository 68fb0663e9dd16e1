import type { Manifest } from './helm.ts';

/** Returns what in a pod the Pod Security Standard restricted (and so baseline) does not allow. */
export function violationsOfRestricted(pod: Manifest): string[] {
  const found: string[] = [];
  const check = (isAllowed: boolean, what: string) => void (isAllowed || found.push(what));
  for (const host of ['hostNetwork', 'hostPID', 'hostIPC']) check(!pod[host], host);
  const allowed = [
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'persistentVolumeClaim',
    'projected',
    'secret',
  ];
  for (const { name, ...volume } of pod.volumes ?? [])
    for (const kind of Object.keys(volume)) check(allowed.includes(kind), `volume ${name}: ${kind}`);
  const shared = pod.securityContext ?? {};
  check(shared.sysctls === undefined, 'sysctls');
  for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
    const own = container.securityContext ?? {};
    const either = (field: string) => own[field] ?? shared[field];
    const at = (what: string) => `container ${container.name}: ${what}`;
    check(own.privileged !== true, at('privileged'));
    check(own.allowPrivilegeEscalation === false, at('allowPrivilegeEscalation'));
    check(own.capabilities?.drop?.includes('ALL') === true, at('capabilities.drop'));
    check(
      (own.capabilities?.add ?? []).every((name: string) => name === 'NET_BIND_SERVICE'),
      at('capabilities.add'),
    );
    check(either('runAsNonRoot') === true, at('runAsNonRoot'));
    check(either('runAsUser') !== 0, at('runAsUser'));
    check(['RuntimeDefault', 'Localhost'].includes(either('seccompProfile')?.type), at('seccompProfile'));
    check([undefined, 'Default'].includes(own.procMount), at('procMount'));
    check(
      (container.ports ?? []).every(({ hostPort = 0 }: Manifest) => hostPort === 0),
      at('hostPort'),
    );
    check(own.seLinuxOptions === undefined && shared.seLinuxOptions === undefined, at('seLinuxOptions'));
    // Stricter than the standard.
    check(own.readOnlyRootFilesystem === true, at('readOnlyRootFilesystem'));
  }
  return found;
}
