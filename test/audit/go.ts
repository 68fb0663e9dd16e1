import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const GO = 'go';
/** Source folder of the Debian package golang-golang-x-mod-dev. */
const GOPATH = '/usr/share/gocode';

export const canRun =
  existsSync(join(GOPATH, 'src/golang.org/x/mod/sumdb/tlog')) &&
  spawnSync(GO, ['version'], { stdio: 'ignore' }).status === 0;
/** Part of the title of a suite that cannot run. */
export const why = canRun ? '' : '; NOT RUN: no go and golang-golang-x-mod-dev (apt-get install both)';

/** Builds go/main.go, which verifies a published log. @param folder folder for the cache of Go. */
export async function buildVerifier(file: string, folder: string): Promise<void> {
  // biome-ignore lint/style/noProcessEnv: go needs the PATH.
  const env = { ...process.env, GO111MODULE: 'off', GOPATH, GOCACHE: join(folder, 'cache'), GOFLAGS: '' };
  await promisify(execFile)(GO, ['build', '-o', file, join(import.meta.dirname, 'go/main.go')], { env });
}
