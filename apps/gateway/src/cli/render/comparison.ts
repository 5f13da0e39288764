import { formatDuration } from "@tuloy/contract";
import { isClear, type ArmDifference, type ArmResult, type Comparison, type Estimate } from "@tuloy/routing";

import { table } from "../table.ts";
import { formatUsd, type Paint } from "./text.ts";

/** The comparison of one model's deployments: those of different models have nothing to be compared by. */
export interface ModelComparison {
  readonly model: string;
  readonly comparison: Comparison;
}

type Figure = "errorShare" | "firstTokenMs" | "totalMs" | "costUsd" | "tokensPerSecond";

/** How each figure is called, written, and what it means for it to be greater. */
const figures: readonly {
  readonly field: Figure;
  readonly heading: string;
  readonly format: (value: number) => string;
  readonly more: string;
  readonly less: string;
}[] = [
  { field: "errorShare", heading: "errors", format: percent, more: "fails more often", less: "fails less often" },
  {
    field: "firstTokenMs",
    heading: "first token",
    format: formatDuration,
    more: "is slower to its first token",
    less: "is quicker to its first token",
  },
  { field: "totalMs", heading: "whole answer", format: formatDuration, more: "takes longer", less: "takes less long" },
  { field: "costUsd", heading: "cost an answer", format: formatUsd, more: "costs more", less: "costs less" },
  {
    field: "tokensPerSecond",
    heading: "tokens/s",
    format: (value) => value.toFixed(1),
    more: "writes faster",
    less: "writes more slowly",
  },
];

/** Lines for a person: each model's arms with their figures and intervals, and in words what is clear about the difference. */
export function renderComparison(route: string, models: readonly ModelComparison[], paint: Paint): string[] {
  return [
    `${paint("bold", route)}: what its requests were sent to first. Ranges hold the true figure with a confidence of 95%.`,
    ...models.flatMap(({ model, comparison: { arms, differences } }) => [
      "",
      paint("bold", model),
      ...rows(arms, paint),
      ...verdicts(arms, differences),
    ]),
  ];
}

function rows(arms: readonly ArmResult[], paint: Paint): string[] {
  const passedOver = arms.some((arm) => arm.passedOver > 0);
  const headings = [
    "arm",
    "requests",
    ...(passedOver ? ["passed over"] : []),
    ...figures.map(({ heading }) => heading),
    "cost in all",
  ];
  const cells = arms.map((arm) => [
    arm.arm,
    String(arm.requests),
    ...(passedOver ? [String(arm.passedOver)] : []),
    ...figures.map(({ field, format }) => estimate(arm[field], format)),
    arm.totalCostUsd === null ? "–" : formatUsd(arm.totalCostUsd),
  ]);
  const [first = "", ...lines] = table(headings, cells);
  return [`  ${paint("dim", first)}`, ...lines.map((line) => `  ${line}`)];
}

/** `2.1% (1.2% to 3.6%)` */
function estimate(known: Estimate | null, format: (value: number) => string): string {
  return known === null ? "–" : `${format(known.value)} (${format(Math.max(0, known.low))} to ${format(known.high)})`;
}

function verdicts(arms: readonly ArmResult[], differences: readonly ArmDifference[]): string[] {
  const [only] = arms;
  if (only !== undefined && differences.length === 0)
    return [`  All requests went to ${only.arm}: there is nothing to compare it with.`];
  return differences.map((difference) => {
    const clear = figures.flatMap(({ field, format, more, less }) => {
      const known = difference[field];
      if (known === null || !isClear(known)) return [];
      const [low, high] = known.value > 0 ? [known.low, known.high] : [-known.high, -known.low];
      return [`${known.value > 0 ? more : less} (by ${format(low)} to ${format(high)})`];
    });
    const against = `Against ${difference.against}, ${difference.arm}`;
    return clear.length === 0
      ? `  ${against} shows no clear difference: what is seen may be chance.`
      : `  ${against} ${clear.join(", ")}.`;
  });
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.0995 ? 2 : 1)}%`;
}
