import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The parts of a connection string that error messages name. */
export interface ConnectionSettings {
  /** The first host. */
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly user: string | undefined;
}

/** A connection string is right, but a file that it names cannot be used. The message contains no password. */
export class ConnectionFileError extends Error {
  override readonly name = 'ConnectionFileError';
}

const DEFAULT_PORT = 2113;
const CA_FILE = 'tlscafile';
const FILES: Readonly<Record<string, string>> = {
  [CA_FILE]: 'tlsCaFile',
  usercertfile: 'userCertFile',
  userkeyfile: 'userKeyFile',
};

/** Parses what the client accepts as a connection string: `esdb[+discover]://[user:password@]host[:port][,…][?key=value&…]`. */
export function connectionSettings(connection: string): ConnectionSettings {
  const [, user, hosts = ''] = /^[^:]*:\/\/(?:([^:@/]*):[^@]*@)?([^/?]*)/.exec(connection) ?? [];
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(hosts.split(',')[0] ?? '') ?? [];
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: port === undefined ? DEFAULT_PORT : Number(port),
    isTls: parameters(connection).get('tls') !== 'false',
    user: user === undefined ? undefined : decodeURIComponent(user),
  };
}

/** @throws ConnectionFileError if a file that the connection string names cannot be used. */
export function requireFiles(connection: string): void {
  for (const [key, value] of parameters(connection)) {
    const name = FILES[key];
    if (name === undefined) continue;
    const file = resolve(decodeURIComponent(value));
    const text = readOrThrow(name, file);
    if (key === CA_FILE) requireCertificate(name, file, text);
  }
}

function readOrThrow(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
    throw new ConnectionFileError(`${name} names ${file}, which ${why}`);
  }
}

function requireCertificate(name: string, file: string, text: string): void {
  try {
    new X509Certificate(text);
  } catch {
    throw new ConnectionFileError(`${name} names ${file}, which is not a certificate in PEM format`);
  }
}

/** Returns the parameters by their names as the client compares them: in lower case, without `-` and `_`. */
function parameters(connection: string): Map<string, string> {
  const [, query = ''] = /\?(.*)$/s.exec(connection) ?? [];
  return new Map(
    query.split('&').map((pair) => {
      const [key = '', value = ''] = pair.split('=');
      return [key.toLowerCase().replace(/[-_]/g, ''), value];
    }),
  );
}
