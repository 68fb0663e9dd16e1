/** Verifies an evidence file in a thread of its own, so that the page stays responsive. */

import './buffer-global.ts';
import { verifyEvidence } from '../../src/audit/verify/verify-evidence.ts';
import type { Verdict, VerificationAsked } from './verdict.ts';

/** The part of the scope of a worker that is used: its types are in a library that excludes those of Node.js. */
interface Scope {
  onmessage: (message: { readonly data: VerificationAsked }) => void;
  postMessage(verdict: Verdict): void;
}
const scope = globalThis as unknown as Scope;

scope.onmessage = ({ data: { file, keys, olderCheckpoint } }) => {
  scope.postMessage(verifyEvidence(new Uint8Array(file), { keys, olderCheckpoint }));
};
