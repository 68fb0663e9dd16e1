import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';

/** A private key and the certificate for it, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface Subject {
  readonly commonName: string;
  readonly organization?: string;
  /** Host names and IP addresses that it is for. */
  readonly hosts?: readonly string[];
  /** By default an hour ago. */
  readonly notBefore?: Date;
  /** By default in a day. */
  readonly notAfter?: Date;
}

const HOUR_MS = 3_600_000;

/** A certificate authority of P-256 keys, made anew for every test that asks: what a cluster calls its CA. */
export class Authority {
  readonly name: string;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly #privateKey: KeyObject;

  /** @param issuer the authority above it; a root by default. */
  constructor(name: string, issuer?: Authority) {
    this.name = name;
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = privateKey;
    this.cert = (issuer ?? this).#certificate(publicKey, { commonName: name }, true);
    this.key = pemOf(privateKey);
  }

  /** A key and a certificate for servers and clients alike. */
  issue(subject: Subject): KeyPair {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return { cert: this.#certificate(publicKey, subject, false), key: pemOf(privateKey) };
  }

  #certificate(publicKey: KeyObject, subject: Subject, isAuthority: boolean): string {
    const now = Date.now();
    const notBefore = subject.notBefore ?? new Date(now - HOUR_MS);
    const notAfter = subject.notAfter ?? new Date(now + 24 * HOUR_MS);
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const hosts = subject.hosts ?? [];
    const extensions = sequence(
      isAuthority
        ? extension('551d13', true, sequence(tlv(0x01, Buffer.from([0xff]))))
        : extension('551d13', true, sequence()),
      extension('551d0f', true, tlv(0x03, Buffer.from(isAuthority ? [1, 0x06] : [7, 0x80]))),
      extension('551d0e', false, tlv(0x04, createHash('sha1').update(spki).digest())),
      ...(isAuthority
        ? []
        : [extension('551d25', false, sequence(oid('2b06010505070301'), oid('2b06010505070302')))]),
      ...(hosts.length === 0 ? [] : [extension('551d11', false, sequence(...hosts.map(alternativeName)))]),
    );
    const content = sequence(
      tlv(0xa0, integer(Buffer.from([2]))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
      ECDSA_SHA256,
      distinguishedName({ commonName: this.name }),
      sequence(time(notBefore), time(notAfter)),
      distinguishedName(subject),
      spki,
      tlv(0xa3, extensions),
    );
    const signature = sign('sha256', content, this.#privateKey);
    const der = sequence(content, ECDSA_SHA256, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])));
    return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  }
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

function tlv(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return tlv(0x30, ...parts);
}

function integer(value: Buffer): Buffer {
  return tlv(0x02, value);
}

function oid(hex: string): Buffer {
  return tlv(0x06, Buffer.from(hex, 'hex'));
}

const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));

function time(date: Date): Buffer {
  return tlv(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
}

function distinguishedName({ commonName, organization }: Subject): Buffer {
  const part = (attribute: string, text: string) =>
    tlv(0x31, sequence(oid(attribute), tlv(0x0c, Buffer.from(text))));
  const name = part('550403', commonName);
  return organization === undefined ? sequence(name) : sequence(part('55040a', organization), name);
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [tlv(0x01, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...critical, tlv(0x04, value));
}

function alternativeName(host: string): Buffer {
  if (isIPv4(host)) return tlv(0x87, Buffer.from(host.split('.').map(Number)));
  if (isIPv6(host)) return tlv(0x87, ipv6Bytes(host));
  return tlv(0x82, Buffer.from(host));
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::');
  const groups = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [front, back] = [groups(head), groups(tail ?? '')];
  const zeros = tail === undefined ? [] : new Array<number>(8 - front.length - back.length).fill(0);
  return Buffer.from([...front, ...zeros, ...back].flatMap((group) => [group >> 8, group & 255]));
}
