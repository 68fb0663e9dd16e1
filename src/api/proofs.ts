import { z } from 'zod';
import { FactEventOut } from './feed.ts';
import { PositionOut } from './values.ts';

const Base64 = z.base64();
const Hashes = z.array(Base64).describe('Hashes of the proof, in the order of RFC 9162.');

/** Proof that an event is in the signed log. */
export const ProofOut = z
  .strictObject({
    position: z.string().describe('Position of the event in the log.'),
    leafIndex: z.int().nonnegative().describe('Index of its leaf: the position minus one.'),
    treeSize: z.int().nonnegative().describe('Number of events that the checkpoint covers.'),
    leafHash: Base64.describe('SHA-256(0x00 || RFC 8785 canonical JSON of the stored event).'),
    hashes: z.array(Base64).describe('The inclusion proof of RFC 9162, section 2.1.3.'),
    checkpoint: z.string().describe('A signed note: C2SP tlog-checkpoint.'),
  })
  .meta({ id: 'InclusionProof' });

/** A recorded fact with the proof that it is in the signed log. */
export const ProvedEvent = z.intersection(
  FactEventOut,
  z.looseObject({
    proof: ProofOut.optional().describe(
      'Absent while the tree of the log is built, and if the log was tampered with.',
    ),
  }),
);

/** An inclusion proof in a tree of a given size: RFC 9162, section 2.1.3. */
export const InclusionOut = z.strictObject({
  position: PositionOut,
  leafIndex: z.int().nonnegative().describe('The position minus one.'),
  leafHash: Base64.describe('SHA-256(0x00 || canonical JSON of the event).'),
  size: z.int().nonnegative().describe('Number of events in the tree.'),
  root: Base64,
  proof: Hashes,
});

/** A consistency proof between two trees: RFC 9162, section 2.1.4. */
export const ConsistencyOut = z.strictObject({
  from: z.int().nonnegative(),
  fromRoot: Base64,
  size: z.int().nonnegative(),
  root: Base64,
  proof: Hashes,
});
