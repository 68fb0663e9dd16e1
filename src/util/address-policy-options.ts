import { isIP } from 'node:net';
import { z } from 'zod';

const Cidr = z
  .string()
  .refine((text) => parseCidr(text) !== undefined, 'must be a network such as 10.0.0.0/8 or fd00::/8');

/** The addresses that the ledger may connect to. */
export const AddressPolicyOptions = z.strictObject({
  /** Networks that are always allowed, even if another rule denies them. */
  allow: z.array(Cidr).readonly().default([]),
  /** Networks that are denied in addition to the built-in ones, such as the pods and services of the ledger's cluster. */
  deny: z.array(Cidr).readonly().default([]),
  /** Whether networks that the internet does not route, such as 10.0.0.0/8, are allowed: many API servers are in one. */
  allowPrivate: z.boolean().default(true),
});
export type AddressPolicyOptions = z.output<typeof AddressPolicyOptions>;

/** Parses a network in CIDR notation. @returns `undefined` if the text is not one. */
export function parseCidr(text: string): { readonly address: string; readonly bits: number } | undefined {
  const [, address = '', digits = ''] = /^([0-9A-Fa-f:.]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(address);
  const bits = Number(digits);
  return version === 0 || bits > (version === 4 ? 32 : 128) ? undefined : { address, bits };
}
