import { describe, expect, test } from 'vitest';
import { decodeModel, encodeModel } from '../../../src/projections/model/snapshot.ts';
import { registered, stopped } from '../../domain/facts/facts.ts';
import { modelOf } from '../../support/models.ts';

describe('the facts of a cluster', () => {
  test('are found from any revision on, also in a restored model', () => {
    const facts = Array.from({ length: 700 }, (_, i) =>
      i % 3 === 2 ? { ...registered('2026-01-01'), clusterId: `other-${i}` } : stopped('2026-01-02'),
    );
    const model = modelOf(facts);
    const all = model.positionsOf(0);
    for (const each of [model, decodeModel(encodeModel(model))]) {
      for (const from of [0, 1, 126, 127, 128, 129, 255, 256, 400, all.length - 1, all.length, 10_000])
        for (const limit of [0, 1, 2, 127, 128, 129, 1_000])
          expect(each.positionsFrom(0, from, limit)).toEqual(all.slice(from, from + limit));
    }
  });
});
