import { describe, expect, test } from 'vitest';
import { PostsInProgress } from '../../src/http/ingest/posts-in-progress.ts';
import { inStructuredMode, registered } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { until } from '../support/until.ts';

const AT_ONCE = 96;
const DETAIL = '96 posts are being recorded; nothing of this one was recorded';
const NOTHING = async () => undefined;

describe('posts in progress', () => {
  test('are bounded: one more is rejected and says when to come back, until one of them ends', async () => {
    const posts = new PostsInProgress();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const running = Array.from({ length: AT_ONCE }, () => posts.run({ body: '{}' }, () => held));
    expect(posts.count).toBe(AT_ONCE);
    const rejected = { body: 'a batch of megabytes' };
    await expect(posts.run(rejected, NOTHING)).rejects.toMatchObject({
      code: 'overloaded',
      message: DETAIL,
      retryAfterSeconds: 1,
    });
    expect(rejected.body).toBeUndefined();
    release();
    await Promise.all(running);
    expect(posts.count).toBe(0);
    await posts.run({ body: '{}' }, NOTHING);
  });

  test('are no longer counted once they have failed', async () => {
    const posts = new PostsInProgress();
    const failing = () => posts.run({ body: '{}' }, () => Promise.reject(new Error('the disk is full')));
    for (let i = 0; i <= AT_ONCE; i++) await expect(failing()).rejects.toThrow('the disk is full');
    expect(posts.count).toBe(0);
  });
});

test('posts that are rejected because hundreds arrive at once leave nothing behind, and are recorded when they are posted again', async () => {
  const ledger = await ledgerForTest({ environment: { LEDGER_HTTP_RATE_LIMIT: '1000000' } });
  const post = async (clusterId: string) => {
    const { headers, body } = inStructuredMode(registered(clusterId, '2026-04-01T00:00:00.000Z'));
    const answer = await ledger.fetchOnce('/v1/events', {
      method: 'POST',
      headers,
      ...(body !== undefined && { body }),
    });
    return { ...answer, clusterId };
  };
  const recorded = new Set<string>();
  const rejected: string[] = [];
  for (let round = 0; rejected.length === 0; round++) {
    const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => post(`c-${round}-${i}`)));
    for (const { status, body, headers, clusterId } of answers) {
      if (status === 201) recorded.add(clusterId);
      else {
        expect([status, body.detail, headers.get('retry-after')]).toEqual([503, DETAIL, '1']);
        rejected.push(clusterId);
      }
    }
  }
  for (const clusterId of rejected) expect((await ledger.get(`/v1/clusters/${clusterId}`)).status).toBe(404);
  expect((await ledger.get('/livez')).status).toBe(200);
  await until(async () => (await ledger.get('/metrics')).text.includes('\nledger_posts_in_progress 0\n'));
  for (const clusterId of rejected) {
    expect((await post(clusterId)).status).toBe(201);
    recorded.add(clusterId);
  }
  const { body } = await ledger.get('/v1/usage?period=2026-04');
  expect(body.items[0].usage.peakClusters).toBe(recorded.size);
});
