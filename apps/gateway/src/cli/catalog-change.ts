import { isEmpty } from "@tuloy/catalog/sync";
import type { CatalogChange, LargeRemoval, OfferChange } from "@tuloy/catalog/sync";

import { styled } from "./command-io.ts";
import type { CommandIo } from "./command-io.ts";
import { printable } from "./render/text.ts";

/** Of each kind of change, so many are named; all are in `--json`. */
const mostNamed = 40;

/** What a sync would change, for people. */
export function changeLines(change: CatalogChange, io: CommandIo): string[] {
  if (isEmpty(change)) return ["The catalog is as the source has it."];
  const { addedModels, addedOffers, removedOffers, changed } = change;
  const lines = [
    ...section("new models", addedModels.map(printable), "+", io),
    ...section("new at providers", addedOffers.map(named), "+", io),
    ...section("not offered any more", removedOffers.map(named), "-", io),
    ...section(
      "changed",
      changed.map((offer) => `${named(offer)}: ${printable(offer.what.join(", "))}`),
      "~",
      io,
    ),
  ];
  return lines.slice(1);
}

/** `It takes away 19 of the 20 offers of anthropic.` */
export function removalLine({ provider, removed, of }: LargeRemoval): string {
  const whose = provider === null ? "of the whole catalog" : `of ${printable(provider)}`;
  return `It takes away ${removed} of the ${of} offers ${whose}.`;
}

function named({ provider, id, model }: OfferChange): string {
  return printable(id === model ? `${provider}/${id}` : `${provider}/${id} (${model})`);
}

const colors = { "+": "green", "-": "red", "~": "yellow" } as const;

function section(title: string, entries: readonly string[], mark: keyof typeof colors, io: CommandIo): string[] {
  if (entries.length === 0) return [];
  const more = entries.length - mostNamed;
  return [
    "",
    styled("bold", `${title}: ${entries.length}`, io.stdout),
    ...entries.slice(0, mostNamed).map((entry) => `  ${styled(colors[mark], mark, io.stdout)} ${entry}`),
    ...(more > 0 ? [`  and ${more} more; --json names them all`] : []),
  ];
}
