import '@mantine/charts/styles.css';
import { AreaChart } from '@mantine/charts';

interface StepChartProps {
  readonly data: readonly Readonly<Record<string, string | number>>[];
  /** The field of the axis below, and the field of the figure. */
  readonly by: string;
  readonly value: string;
  /** Name of the figure. */
  readonly valueLabel: string;
  /** Value of the axis below that is marked with a line. */
  readonly marked?: string | undefined;
  readonly height: number;
  /** Says in a sentence what the chart shows. */
  readonly label: string;
}

/** A figure that stays the same until the next step. Load it lazily: it brings a library. */
export default function StepChart({ data, by, value, valueLabel, marked, height, label }: StepChartProps) {
  return (
    <div role="img" aria-label={label}>
      <AreaChart
        h={height}
        data={data as Record<string, string | number>[]}
        dataKey={by}
        series={[{ name: value, label: valueLabel, color: 'ledger.5' }]}
        curveType="stepAfter"
        withDots={data.length < 40}
        withGradient={false}
        fillOpacity={0.15}
        gridAxis="x"
        tickLine="none"
        areaProps={{ isAnimationActive: false }}
        areaChartProps={{ accessibilityLayer: false }}
        yAxisProps={{ width: 56 }}
        xAxisProps={{ minTickGap: 32 }}
        {...(marked !== undefined && {
          referenceLines: [{ x: marked, color: 'orange.7' }],
        })}
      />
    </div>
  );
}
