import './chart.css';
import { useElementSize } from '@mantine/hooks';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { axisOf, shownLabels } from './chart-axis.ts';

/** Colors of series. Their order and the table distinguish the series too. All have a contrast above 3 with both backgrounds. */
const COLORS = ['ledger-5', 'teal-7', 'orange-7', 'grape-5', 'cyan-7', 'gray-6'];

/** Space beside the plot, in pixels. */
const MARGIN = { top: 8, right: 8, bottom: 24 };
const LEGEND_HEIGHT = 28;
/** Width of a digit of the axis, in pixels. */
const DIGIT_WIDTH = 7;

/** Something that is measured, with its name. */
export interface Series {
  readonly name: string;
  readonly label: string;
}

/** Values by the names of series. */
export type Point = Readonly<Record<string, string | number>>;

/** Returns the color of a series by its place. */
export function colorOf(place: number): string {
  return `var(--mantine-color-${COLORS[place % COLORS.length]})`;
}

/** Where things are in a chart, in pixels. */
export interface Plot {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  /** Width of the place of a point. */
  readonly band: number;
  /** Returns the middle of the place of a point. */
  readonly x: (index: number) => number;
  readonly y: (value: number) => number;
}

interface ChartFrameProps {
  readonly data: readonly Point[];
  /** The field of the axis below. */
  readonly by: string;
  readonly series: readonly Series[];
  /** The largest value. */
  readonly max: number;
  /** Whether all values are whole numbers. */
  readonly isWhole?: boolean;
  readonly height: number;
  /** Says in a sentence what the chart shows. */
  readonly label: string;
  readonly children: (plot: Plot) => ReactNode;
}

/** The axes of a chart, its legend, and the figures of the point under the pointer. The table has the same for everybody else. */
export function ChartFrame({
  data,
  by,
  series,
  max,
  isWhole = false,
  height,
  label,
  children,
}: ChartFrameProps) {
  const { i18n } = useTranslation();
  const { ref, width } = useElementSize();
  const [pointed, setPointed] = useState<number>();
  const format = new Intl.NumberFormat(i18n.language);
  const hasLegend = series.length > 1;
  const ticks = axisOf(max, isWhole);
  const texts = ticks.map((tick) => format.format(tick));
  const top = ticks.at(-1) ?? 1;
  const left = 12 + Math.max(...texts.map(({ length }) => length)) * DIGIT_WIDTH;
  const right = width - MARGIN.right;
  const bottom = height - (hasLegend ? LEGEND_HEIGHT : 0) - MARGIN.bottom;
  const band = Math.max(0, right - left) / Math.max(1, data.length);
  const plot: Plot = {
    left,
    right,
    bottom,
    band,
    x: (index) => left + (index + 0.5) * band,
    y: (value) => bottom - (value / top) * (bottom - MARGIN.top),
  };
  const labels = data.map((point) => String(point[by]));
  const shown = shownLabels(labels, band);
  const point = pointed === undefined ? undefined : data[pointed];
  return (
    <div
      ref={ref}
      role="img"
      aria-label={label}
      className="chart"
      style={{ height }}
      onPointerMove={({ clientX, currentTarget }) => {
        const at = Math.floor((clientX - currentTarget.getBoundingClientRect().left - left) / band);
        setPointed(at >= 0 && at < data.length ? at : undefined);
      }}
      onPointerLeave={() => setPointed(undefined)}
    >
      {width > 0 && (
        <svg width={width} height={bottom + MARGIN.bottom} aria-hidden="true">
          {ticks.map((tick, i) => (
            <g key={tick}>
              <line className="chart-grid" x1={left} x2={right} y1={plot.y(tick)} y2={plot.y(tick)} />
              <text className="chart-tick" x={left - 8} y={plot.y(tick)} dy="0.32em" textAnchor="end">
                {texts[i]}
              </text>
            </g>
          ))}
          {pointed !== undefined && (
            <rect
              className="chart-pointed"
              x={plot.x(pointed) - band / 2}
              y={MARGIN.top}
              width={band}
              height={bottom - MARGIN.top}
            />
          )}
          {children(plot)}
          {shown.map((i) => {
            // Beside others that are left out, the last label has no place to the right.
            const isAtEnd = i === labels.length - 1 && shown.length < labels.length;
            return (
              <text
                key={i}
                className="chart-tick"
                x={isAtEnd ? right : plot.x(i)}
                y={bottom + 17}
                textAnchor={isAtEnd ? 'end' : 'middle'}
              >
                {labels[i]}
              </text>
            );
          })}
        </svg>
      )}
      {hasLegend && (
        <div className="chart-legend">
          {series.map(({ name, label: text }, i) => (
            <span key={name}>
              <span className="chart-swatch" style={{ background: colorOf(i) }} />
              {text}
            </span>
          ))}
        </div>
      )}
      {pointed !== undefined && point !== undefined && (
        <div
          className="chart-tooltip"
          data-side={plot.x(pointed) > width / 2 ? 'left' : 'right'}
          style={{ left: plot.x(pointed), top: MARGIN.top }}
        >
          <strong>{labels[pointed]}</strong>
          {series.map(({ name, label: text }, i) => (
            <span key={name}>
              <span className="chart-swatch" style={{ background: colorOf(i) }} />
              <span className="breakable">{text}</span>
              <span className="figure">{format.format(Number(point[name] ?? 0))}</span>
            </span>
          ))}
        </div>
      )}
    </div>
  );
}
