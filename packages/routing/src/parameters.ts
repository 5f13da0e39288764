import { mayBeLeftOut, takenAs, type ParameterFacts, type ParameterUse } from "@tuloy/contract";

/**
 * Why a deployment cannot serve a request with these parameters, in words; null when it can. A parameter that it does not take
 * under any name stands against it where the answer would be another without it, or where the request requires every one.
 */
export function refusedParameter(
  facts: ParameterFacts | null,
  { parameters, stops }: ParameterUse,
  requireAll: boolean,
): string | null {
  if (facts === null || parameters.length === 0) return null;
  for (const name of parameters) {
    if (takenAs(facts, name) === null && (requireAll || !mayBeLeftOut(name))) {
      return `the request sets ${name.slice(0, 60)}, which this deployment does not take`;
    }
  }
  return facts.maxStops !== null && stops > facts.maxStops
    ? `the request has ${stops} stop sequences, this deployment takes ${facts.maxStops}`
    : null;
}
