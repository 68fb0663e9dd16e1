import { ChartFrame, colorOf, type Plot, type Point, type Series } from './chart-frame.tsx';

/** Largest width of a bar in pixels, and the part of its place that it takes. */
const MAX_WIDTH = 28;
const PART = 0.72;

interface BarChartProps {
  readonly data: readonly Point[];
  /** The field of the axis below. */
  readonly by: string;
  readonly series: readonly Series[];
  readonly height: number;
  /** Says in a sentence what the chart shows. */
  readonly label: string;
}

const countAt = (point: Point, { name }: Series) => Number(point[name] ?? 0);

/** Bars of whole numbers; those of one point are stacked, the first series at the bottom. */
export function BarChart({ series, ...props }: BarChartProps) {
  const { data } = props;
  const max = Math.max(
    0,
    ...data.map((point) => series.reduce((sum, each) => sum + countAt(point, each), 0)),
  );
  return (
    <ChartFrame {...props} series={series} max={max} isWhole>
      {(plot) =>
        data.map((point, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: points have places and no ids.
          <Stack key={i} plot={plot} place={i} values={series.map((each) => countAt(point, each))} />
        ))
      }
    </ChartFrame>
  );
}

interface StackProps {
  readonly plot: Plot;
  readonly place: number;
  readonly values: readonly number[];
}

function Stack({ plot, place, values }: StackProps) {
  const width = Math.min(MAX_WIDTH, plot.band * PART);
  let below = 0;
  return values.map((value, i) => {
    const bottom = plot.y(below);
    below += value;
    const top = plot.y(below);
    return value <= 0 ? null : (
      <rect
        // biome-ignore lint/suspicious/noArrayIndexKey: the order of the series stays.
        key={i}
        className="chart-bar"
        x={plot.x(place) - width / 2}
        y={top}
        width={width}
        height={bottom - top}
        fill={colorOf(i)}
      />
    );
  });
}
