import '@mantine/charts/styles.css';
import { BarChart as Bars } from '@mantine/charts';

export interface Series {
  readonly name: string;
  readonly label: string;
}

/** Colors of series. Their order and the table distinguish the series too. All have a contrast above 3 with both backgrounds. */
const COLORS = ['ledger.5', 'teal.7', 'orange.7', 'grape.5', 'cyan.7', 'gray.6'];

interface BarChartProps {
  readonly data: readonly Readonly<Record<string, string | number>>[];
  /** The field of the axis below. */
  readonly by: string;
  readonly series: readonly Series[];
  readonly height: number;
  /** Says in a sentence what the chart shows. */
  readonly label: string;
}

/** Stacked bars. Load it lazily: it brings a library. */
export default function BarChart({ data, by, series, height, label }: BarChartProps) {
  return (
    <div role="img" aria-label={label}>
      <Bars
        h={height}
        data={data as Record<string, string | number>[]}
        dataKey={by}
        type="stacked"
        series={series.map(({ name, label: text }, i) => ({
          name,
          label: text,
          color: COLORS[i % COLORS.length] as string,
        }))}
        withLegend={series.length > 1}
        tickLine="none"
        gridAxis="x"
        maxBarWidth={28}
        // Bars that grew with every live update would draw the eye to nothing.
        barProps={{ isAnimationActive: false }}
        barChartProps={{ accessibilityLayer: false }}
        yAxisProps={{ width: 40, allowDecimals: false }}
        xAxisProps={{ minTickGap: 24 }}
      />
    </div>
  );
}
