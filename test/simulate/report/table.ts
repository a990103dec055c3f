import type { Outcome } from '../run/simulation.js';

interface Column {
  readonly title: string;
  readonly cell: (outcome: Outcome) => string;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

function bytes(value: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${(value / 1000 ** power).toPrecision(3)} ${UNITS[power]}`;
}

const count = (value: number): string => Math.round(value).toLocaleString('en');
const seconds = (value: number): string => (value < 100 ? value.toFixed(2) : value.toFixed(0));

const COLUMNS: readonly Column[] = [
  { title: 'servers', cell: ({ order }) => count(order.servers) },
  { title: 'packages', cell: ({ order }) => count(order.packages) },
  { title: 'feeds', cell: ({ feeds }) => count(feeds) },
  { title: 'feed items', cell: ({ traffic }) => count(traffic.items) },
  { title: 'repeats', cell: ({ traffic }) => `${((100 * traffic.repeats) / traffic.items).toFixed(0)} %` },
  { title: 'items a copy', cell: ({ traffic }) => (traffic.items / traffic.copies).toFixed(2) },
  { title: 'of items', cell: ({ traffic }) => bytes(traffic.itemBytes) },
  { title: 'of packages', cell: ({ traffic }) => bytes(traffic.packageBytes) },
  { title: 'copies', cell: ({ traffic }) => count(traffic.copies) },
  { title: 'upload p50 s', cell: ({ upload }) => seconds(upload.median) },
  { title: 'p99 s', cell: ({ upload }) => seconds(upload.p99) },
  { title: 'change p50 s', cell: ({ change }) => seconds(change.median) },
  { title: 'p99 s', cell: ({ change }) => seconds(change.p99) },
  { title: 'catch-up s', cell: ({ catchUp }) => seconds(catchUp.most) },
  { title: 'disagree', cell: ({ disagreements }) => count(disagreements) },
  { title: 'unreachable', cell: ({ unreachable }) => count(unreachable) },
  { title: 'outdated', cell: ({ outdated }) => count(outdated) },
  { title: 'run s', cell: ({ runSeconds }) => runSeconds.toFixed(1) },
  { title: 'MB', cell: ({ memoryMB }) => count(memoryMB) },
];

/** A Markdown table, a line an outcome. */
export function table(outcomes: readonly Outcome[]): string {
  const rows = [
    COLUMNS.map(({ title }) => title),
    ...outcomes.map((outcome) => COLUMNS.map(({ cell }) => cell(outcome))),
  ];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const lines = rows.map((row) => `| ${row.map((text, i) => text.padStart(widths[i] ?? 0)).join(' | ')} |`);
  lines.splice(1, 0, `| ${widths.map((width) => `${'-'.repeat(width - 1)}:`).join(' | ')} |`);
  return lines.join('\n');
}
