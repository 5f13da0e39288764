import { googleRegions } from "@tuloy/dialects";
import { describe, expect, it } from "vitest";

import { baseUrlOf, regionOf } from "./base-url.ts";

const vertex = { kind: "vertex", project: "my-project" } as const;

describe("a provider's address", () => {
  it("holds the project and the location that the file names", () => {
    expect(baseUrlOf({ ...vertex, location: "europe-west4" })).toBe(
      "https://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/europe-west4",
    );
  });

  it("has another host where a location has one of its own", () => {
    expect(baseUrlOf({ ...vertex, location: "global" })).toBe(
      "https://aiplatform.googleapis.com/v1/projects/my-project/locations/global",
    );
    expect(baseUrlOf({ ...vertex, location: "eu" })).toBe(
      "https://aiplatform.eu.rep.googleapis.com/v1/projects/my-project/locations/eu",
    );
  });

  it("is the file's own where it gives one, with the same places", () => {
    const own = "http://10.0.0.5:9000/{location}/p/{project}/{location}";
    expect(baseUrlOf({ ...vertex, location: "global", base_url: own })).toBe(
      "http://10.0.0.5:9000/global/p/my-project/global",
    );
  });

  it("takes no name for what objects inherit", () => {
    expect(baseUrlOf({ ...vertex, location: "constructor" })).toContain("https://constructor-aiplatform.");
  });

  it("is the kind's, or nowhere", () => {
    expect(baseUrlOf({ kind: "openai" })).toBe("https://api.openai.com/v1");
    expect(baseUrlOf({ kind: "openai-compatible" })).toBeNull();
  });
});

describe("a provider's region", () => {
  it.each([
    ["europe-west4", "eu-west4"],
    ["europe-west2", "gb-west2"],
    ["europe-west6", "ch-west6"],
    ["us-central1", "us-central1"],
    ["asia-northeast3", "kr-northeast3"],
    ["eu", "eu"],
    ["global", "global"],
    ["mars-north1", null],
  ])("follows from its location: %s is in %s", (location, region) => {
    expect(regionOf({ kind: "vertex", location })).toBe(region);
  });

  it("is what the file says, first of all", () => {
    expect(regionOf({ kind: "vertex", location: "europe-west2", region: "uk" })).toBe("uk");
    expect(regionOf({ kind: "openai" })).toBeNull();
  });

  it("never puts a place outside the European Union into it", () => {
    const members = [...googleRegions].filter(([, region]) => region.startsWith("eu")).map(([location]) => location);
    expect(members).not.toContain("europe-west2");
    expect(members).not.toContain("europe-west6");
    for (const location of members) expect(location).toMatch(/^eu(?:rope-|$)/);
  });
});
