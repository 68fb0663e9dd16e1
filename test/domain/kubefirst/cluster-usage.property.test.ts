import fc from 'fast-check';
import { expect, test } from 'vitest';
import { usageOf } from '../../../src/domain/billing/usage-meter.ts';
import { clusterUsage, multiply, PricePerHour } from '../../../src/domain/kubefirst/cluster-usage.ts';

test('a total is the exact product of the shown hours and the price, rounded half to even to cents', () => {
  expect(multiply('24.000000', '0.125')).toBe('3.00');
  expect(multiply('1.000000', '0.005')).toBe('0.00');
  expect(multiply('1.000000', '0.015')).toBe('0.02');
  expect(multiply('1.000000', '0.025')).toBe('0.02');
  expect(multiply('744.000000', '999999999.999999999')).toBe('744000000000.00');
  const digits = (places: number) => fc.bigInt({ min: 0n, max: 10n ** 15n }).map((n) => decimal(n, places));
  fc.assert(
    fc.property(digits(6), digits(9), (hours, price) => {
      const off = 2n * (units(multiply(hours, price), 2) * 10n ** 13n - units(hours, 6) * units(price, 9));
      expect(off <= 10n ** 13n && off >= -(10n ** 13n)).toBe(true);
    }),
  );
});

test('a price is a plain decimal number', () => {
  for (const price of ['0', '0.1', '12.345678901'.slice(0, 12)])
    expect(PricePerHour.safeParse(price).success).toBe(true);
  for (const price of ['', '-1', '1e3', '.5', '1.', '0,1', '1.0123456789', 1])
    expect(PricePerHour.safeParse(price).success).toBe(false);
});

test('the hours of an account add up to its cluster-seconds, within half a millionth of an hour per line', () => {
  const instant = fc.integer({ min: 0, max: 3_000_000_000 });
  const clusters = fc.array(
    fc.tuple(instant, instant).map(([a, b]) => ({
      clusterId: 'c',
      name: 'c',
      clusterType: undefined,
      isActive: true,
      domainName: undefined,
      environment: undefined,
      registeredAt: Math.min(a, b),
      deletedAt: Math.max(a, b),
      intervals:
        a === b
          ? []
          : [
              {
                from: Math.min(a, b),
                to: Math.max(a, b),
                openedBy: 1,
                closedBy: 2,
                accountId: 'acme',
                clusterType: null,
              },
            ],
    })),
  );
  const window = { from: 1_000_000, to: 2_678_400_000 };
  fc.assert(
    fc.property(clusters, (all) => {
      const lines = clusterUsage(all, window, undefined);
      const { usage } = usageOf(
        all.map(({ intervals }) => intervals),
        window,
      );
      const sum = lines.reduce((total, { hours }) => total + units(hours, 6), 0n);
      // In millionths of an hour times 3,600,000 ms: the unit in which both are integers.
      const off = sum * 3_600_000n - units(usage.clusterSeconds, 3) * 1_000_000n;
      const most = (BigInt(lines.length) * 3_600_000n) / 2n;
      expect(off <= most && off >= -most).toBe(true);
    }),
  );
});

function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

function units(text: string, places: number): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(places, '0'));
}
