import fc from "fast-check";
import { expect, it } from "vitest";

import { inScope, type DrillScope } from "./scope.ts";

const name = fc.constantFrom("production", "staging", "a", "b", "__proto__", "constructor");
const maybe = fc.option(name, { nil: null });
const tags = fc.dictionary(name, name, { maxKeys: 3 });
const scopes: fc.Arbitrary<DrillScope> = fc.record({
  environment: maybe,
  workspace: maybe,
  key: maybe,
  tags,
  includeProduction: fc.boolean(),
});
const principals = fc.record({ organization: name, workspace: name, environment: name, key: name });

it("never takes in a request of production without being told to, whatever its conditions are", () => {
  fc.assert(
    fc.property(scopes, principals, tags, (scope, principal, given) => {
      const reached = inScope(
        { ...scope, includeProduction: false },
        { ...principal, environment: "production" },
        given,
      );
      expect(reached).toBe(false);
    }),
  );
});

it("takes in exactly the requests for which every condition holds", () => {
  fc.assert(
    fc.property(scopes, principals, tags, (scope, principal, given) => {
      const broken =
        (principal.environment === "production" && !scope.includeProduction) ||
        (["environment", "workspace", "key"] as const).some(
          (of) => scope[of] !== null && scope[of] !== principal[of],
        ) ||
        Object.entries(scope.tags).some(([tag, value]) => new Map(Object.entries(given)).get(tag) !== value);
      expect(inScope(scope, principal, given)).toBe(!broken);
    }),
  );
});
