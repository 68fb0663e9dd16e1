import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clippedWindow } from '../../../src/domain/billing/usage-meter.ts';
import type { Fact } from '../../../src/domain/facts/fact.ts';
import { differencesOf } from '../../../src/projections/queries/differences.ts';
import { usageAt } from '../../oracle/oracle.ts';
import { modelOf } from '../../support/models.ts';
import { forOracle, logs, windows } from '../../support/random-logs.ts';

/** The facts up to a position, less some. */
function without(facts: readonly Fact[], upTo: number, left: ReadonlySet<number>) {
  return forOracle(facts).filter(({ position }) => position <= upTo && !left.has(position));
}

test('the facts that explain a difference between two positions cause it alone, and without them there is none', () => {
  fc.assert(
    fc.property(logs, windows, fc.nat(30), fc.nat(30), ({ facts }, { window, through }, one, other) => {
      const model = modelOf(facts);
      const [before, after] = [one, other]
        .map((cut) => Math.min(cut, facts.length))
        .sort((a, b) => a - b) as [number, number];
      const counted = clippedWindow(window, through);
      for (const accountId of ['acme', 'globex']) {
        const named = [...differencesOf(model, accountId, { before, after }, counted)].filter(
          (change) => change !== undefined,
        );
        const usage = (known: ReturnType<typeof forOracle>) =>
          usageAt(
            known,
            facts.length,
            accountId,
            [BigInt(counted.from), BigInt(counted.to)],
            BigInt(counted.to),
          );
        const [was, is] = [before, after].map((upTo) => usage(without(facts, upTo, new Set())));
        const causes = new Set(named.map(({ causePosition: by }) => by));
        for (const { causePosition: by, position } of named) {
          expect(by > before && by <= after).toBe(true);
          expect(position <= by).toBe(true);
        }
        if (named.length === 0) expect(was).toEqual(is);

        // A fact that is voided twice is undone only without both voids: those of it that are late go with the named one.
        const voidsOf = (by: number) => {
          const { voids } = forOracle(facts)[by - 1] as { voids?: string };
          if (voids === undefined) return [];
          return forOracle(facts).filter((fact) => fact.voids === voids && fact.position > before);
        };
        const undone = new Set(causes);
        for (const by of causes) for (const { position } of voidsOf(by)) undone.add(position);
        expect(usage(without(facts, after, undone))).toEqual(was);
        const others = facts.keys().map((i) => i + 1);
        const unnamed = others.filter((position) => position > before && !undone.has(position));
        expect(usage(without(facts, after, new Set(unnamed)))).toEqual(is);
      }
    }),
    { numRuns: 1_000 },
  );
});
