import { connect, isIP, isIPv4, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type SecureContext, connect as secure } from 'node:tls';
import type { AddressPolicy } from '../../util/address-policy.ts';
import { sameAddress } from '../../util/ip.ts';
import type { Endpoint } from '../credentials/endpoint.ts';
import { wrongDates } from './certificate-dates.ts';
import {
  certificateFailure,
  connectFailure,
  handshakeFailure,
  ProbeFailure,
  probeTimeout,
} from './probe-failure.ts';

/** Sockets that a probe has opened. None of them stays open after the probe. */
export type OpenSockets = Set<Socket>;

export interface DialOptions {
  readonly endpoint: Endpoint;
  /** Checked addresses, tried in order. */
  readonly addresses: readonly string[];
  readonly policy: AddressPolicy;
  readonly context: SecureContext | undefined;
  readonly opened: OpenSockets;
  /** TCP sockets of all probes that are currently open. */
  readonly sockets: Set<Socket>;
  readonly signal: AbortSignal;
  /** End of the probe, as a value of `performance.now()`. */
  readonly endsAt: number;
}

/** Checks all addresses of a host. @throws ProbeFailure if any of them is denied. */
export function checkAddresses(addresses: readonly string[], policy: AddressPolicy): void {
  for (const address of addresses) {
    const why = policy.denialReason(address);
    if (why !== undefined) throw new ProbeFailure('unverifiable', 'address-refused', `${address} is ${why}`);
  }
}

/**
 * Connects to the first address that accepts, and starts TLS. Names are not resolved again, and nothing is sent
 * before the server is verified.
 * @throws ProbeFailure
 */
export async function dial(to: DialOptions): Promise<Socket> {
  const socket = await connectToFirst(to);
  return to.context === undefined ? socket : startTls(socket, to, to.context);
}

/** Tries the addresses in order. Of several failures, it throws `unknown` rather than `unreachable`. */
async function connectToFirst(to: DialOptions): Promise<Socket> {
  const candidates = withLocalNetwork(to.addresses);
  let failure: ProbeFailure | undefined;
  for (const [i, address] of candidates.entries()) {
    const left = to.endsAt - performance.now();
    const isLast = i === candidates.length - 1;
    try {
      return await connectTo(address, to, isLast ? left : left / (candidates.length - i));
    } catch (error) {
      if (!(error instanceof ProbeFailure)) throw error;
      if (failure === undefined || (failure.state !== 'unknown' && error.state === 'unknown'))
        failure = error;
      if (to.signal.aborted) break;
    }
  }
  throw failure ?? probeTimeout();
}

function connectTo(address: string, to: DialOptions, ms: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host: address, port: to.endpoint.port, family: isIP(address), noDelay: true });
  to.opened.add(socket);
  to.sockets.add(socket);
  const fail = (failure: ProbeFailure) => {
    socket.destroy();
    reject(failure);
  };
  const late = () => fail(probeTimeout());
  const timer = setTimeout(late, Math.max(0, ms));
  if (to.signal.aborted) late();
  to.signal.addEventListener('abort', late);
  const failed = (error: unknown) => fail(connectFailure(error, address, hasNetwork(address)));
  socket.once('error', failed);
  socket.once('close', () => {
    clearTimeout(timer);
    to.opened.delete(socket);
    to.sockets.delete(socket);
    reject(probeTimeout());
  });
  socket.once('connect', () => {
    clearTimeout(timer);
    to.signal.removeEventListener('abort', late);
    socket.removeAllListeners('error');
    socket.on('error', () => undefined);
    const peer = socket.remoteAddress;
    // A connection that was reset already has no peer any more.
    if (peer === undefined) return failed({ code: 'ECONNRESET' });
    if (!sameAddress(peer, address) || to.policy.denialReason(peer) !== undefined)
      return fail(
        new ProbeFailure('unverifiable', 'address-refused', `connected to ${peer} instead of ${address}`),
      );
    resolve(socket);
  });
  return promise;
}

function startTls(socket: Socket, to: DialOptions, context: SecureContext): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const { serverName } = to.endpoint;
  const shielded = secure({
    socket,
    secureContext: context,
    // Server Name Indication must not be an IP address; the certificate is checked against `host` then.
    ...(isIP(serverName) === 0 && { servername: serverName }),
    host: serverName,
    ALPNProtocols: ['http/1.1'],
    // The certificate is checked below, before anything is sent: Node.js ends the connection with the last problem
    // that it found, which can hide another one.
    rejectUnauthorized: false,
  });
  to.opened.add(shielded);
  const fail = (failure: ProbeFailure) => {
    shielded.destroy();
    socket.destroy();
    reject(failure);
  };
  const late = () => fail(probeTimeout());
  if (to.signal.aborted) late();
  to.signal.addEventListener('abort', late);
  shielded.once('error', (error) =>
    fail(handshakeFailure(error, shielded.getPeerX509Certificate() !== undefined)),
  );
  shielded.once('close', () => {
    to.opened.delete(shielded);
    reject(handshakeFailure({ code: 'ECONNRESET' }));
  });
  shielded.once('secureConnect', () => {
    to.signal.removeEventListener('abort', late);
    shielded.on('error', () => undefined);
    if (shielded.authorized) return resolve(shielded);
    const dates = wrongDates(shielded, serverName, to.endpoint.ca, Date.now());
    fail(
      dates === undefined
        ? certificateFailure(shielded.authorizationError, to.endpoint.ca !== undefined)
        : new ProbeFailure('alive', dates.code, dates.detail),
    );
  });
  return promise;
}

/** Returns the addresses of families that this machine has a network for; all addresses if it has none. */
function withLocalNetwork(addresses: readonly string[]): readonly string[] {
  if (addresses.length === 1) return addresses;
  const usable = addresses.filter(hasNetwork);
  return usable.length === 0 ? addresses : usable;
}

/** Returns whether this machine has a non-loopback address of the same family, without which it cannot connect. */
function hasNetwork(address: string): boolean {
  const isFour = isIPv4(address);
  for (const network of Object.values(networkInterfaces()).flat()) {
    if (network === undefined) continue;
    const isSameFamily = (network.family === 'IPv4') === isFour;
    if (isSameFamily && !network.address.startsWith('fe80:') && (!network.internal || isLoopback(address)))
      return true;
  }
  return false;
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
