import { nearestModels } from "@tuloy/catalog";
import { planBase } from "@tuloy/routing";
import type { EquivalentOffer, PlanBase } from "@tuloy/routing";

import type { ModelEntry, Route, Snapshot } from "./snapshot.ts";

/** Below this a model is too far from the one that was asked for to answer in its place. */
const leastCloseness = 0.6;
/** A request makes a few attempts at most, so further ones would never be reached. */
const mostNearest = 3;

/** By route, then model, then organization. A snapshot never changes, so what was worked out stays true while it is there. */
type Known<T> = WeakMap<Route, Map<ModelEntry, Map<string, T>>>;

const bases: Known<PlanBase> = new WeakMap();
const offers: Known<readonly EquivalentOffer[]> = new WeakMap();

/** What all plans of a model under a route share for one organization; worked out with the first. */
export function planBaseOf(route: Route, entry: ModelEntry, organization: string): PlanBase {
  const known = knownFor(bases, route, entry);
  let base = known.get(organization);
  if (base === undefined) known.set(organization, (base = planBase(entry.deployments, route, organization)));
  return base;
}

const noOffers: readonly EquivalentOffer[] = [];

/**
 * The other models that may stand in for one under a route, in order: those that the file lists, then the nearest by
 * score. What a request itself lists is not among them. Embeddings have none: a vector of another model is worse than none.
 */
export function offersOf(
  snapshot: Snapshot,
  route: Route,
  entry: ModelEntry,
  organization: string,
): readonly EquivalentOffer[] {
  if (route.equivalents === "off" || route.equivalents === "never" || entry.operation === "embeddings") return noOffers;
  const known = knownFor(offers, route, entry);
  let made = known.get(organization);
  if (made === undefined) {
    const listed = listedOffers(snapshot, route, entry, organization);
    const nearest = route.equivalents === "nearest" ? nearestOffers(snapshot, route, entry, organization) : noOffers;
    known.set(organization, (made = [...listed, ...nearest]));
  }
  return made;
}

function listedOffers(snapshot: Snapshot, route: Route, entry: ModelEntry, organization: string): EquivalentOffer[] {
  return entry.equivalents.flatMap((name) => {
    const other = snapshot.models.get(name);
    if (other === undefined) return [];
    const why = `the configuration lists it for ${entry.model}`;
    return [{ base: planBaseOf(route, other, organization), provider: null, listed: true, score: null, why }];
  });
}

/** Only models that something of this route serves are compared, so that the nearest is one that can answer. */
function nearestOffers(snapshot: Snapshot, route: Route, entry: ModelEntry, organization: string): EquivalentOffer[] {
  const others = [...snapshot.models.values()].filter(
    (other) =>
      other.operation === entry.operation &&
      !entry.equivalents.includes(other.model) &&
      planBaseOf(route, other, organization).plan.candidates.length > 0,
  );
  const nearest = nearestModels(
    entry.compared,
    others.map(({ compared }) => compared),
    { least: leastCloseness, most: mostNearest },
  );
  return nearest.flatMap(({ name, score, why }) => {
    const other = snapshot.models.get(name);
    if (other === undefined) return [];
    return [{ base: planBaseOf(route, other, organization), provider: null, listed: false, score, why }];
  });
}

function knownFor<T>(known: Known<T>, route: Route, entry: ModelEntry): Map<string, T> {
  let ofRoute = known.get(route);
  if (ofRoute === undefined) known.set(route, (ofRoute = new Map<ModelEntry, Map<string, T>>()));
  let ofEntry = ofRoute.get(entry);
  if (ofEntry === undefined) ofRoute.set(entry, (ofEntry = new Map<string, T>()));
  return ofEntry;
}
