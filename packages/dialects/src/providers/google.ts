import type { FailureMarker } from "./preset.ts";

/** How Google's own APIs say what is wrong, at AI Studio and on Vertex AI (https://ai.google.dev/gemini-api/docs/troubleshooting). */
export const googleMarkers: readonly FailureMarker[] = [
  {
    status: 429,
    message: "prepayment credits are depleted",
    class: "quota_exhausted",
    because: "what was paid in advance is used up, for every key of the billing account",
  },
  {
    status: 429,
    message: "spending cap",
    class: "quota_exhausted",
    because: "the project has reached the limit that its owner set for the month",
  },
  {
    status: 429,
    message: "exceeded your current quota",
    class: "rate_limited",
    because:
      "OpenAI's words for no credit are Google's for any limit, of a minute too; RetryInfo says when to come back",
  },
  {
    status: 403,
    code: "BILLING_DISABLED",
    class: "quota_exhausted",
    because: "the project is not paid for",
  },
  {
    status: 400,
    message: "user location is not supported",
    class: "auth",
    because: "the gateway's own address is refused; the client's request is not at fault",
  },
  {
    status: 499,
    class: "server_error",
    because: "CANCELLED, though nobody here did: the server gave the request up",
  },
];

/**
 * Google Cloud's locations in our regions (https://docs.cloud.google.com/docs/geography-and-regions): the country where there is
 * one, the European Union or the United States as a whole where that is what people pin. `europe-west2` (London) and
 * `europe-west6` (Zurich) are not in the European Union, whatever their names say.
 */
export const googleRegions: ReadonlyMap<string, string> = new Map([
  ["global", "global"],
  ["eu", "eu"],
  ["europe-central2", "eu-central2"],
  ["europe-north1", "eu-north1"],
  ["europe-north2", "eu-north2"],
  ["europe-southwest1", "eu-southwest1"],
  ["europe-west1", "eu-west1"],
  ["europe-west3", "eu-west3"],
  ["europe-west4", "eu-west4"],
  ["europe-west8", "eu-west8"],
  ["europe-west9", "eu-west9"],
  ["europe-west10", "eu-west10"],
  ["europe-west12", "eu-west12"],
  ["europe-west2", "gb-west2"],
  ["europe-west6", "ch-west6"],
  ["us", "us"],
  ["us-central1", "us-central1"],
  ["us-east1", "us-east1"],
  ["us-east4", "us-east4"],
  ["us-east5", "us-east5"],
  ["us-south1", "us-south1"],
  ["us-west1", "us-west1"],
  ["us-west2", "us-west2"],
  ["us-west3", "us-west3"],
  ["us-west4", "us-west4"],
  ["northamerica-northeast1", "ca-northeast1"],
  ["northamerica-northeast2", "ca-northeast2"],
  ["northamerica-south1", "mx-south1"],
  ["southamerica-east1", "br-east1"],
  ["southamerica-west1", "cl-west1"],
  ["asia-east1", "tw-east1"],
  ["asia-east2", "hk-east2"],
  ["asia-northeast1", "jp-northeast1"],
  ["asia-northeast2", "jp-northeast2"],
  ["asia-northeast3", "kr-northeast3"],
  ["asia-south1", "in-south1"],
  ["asia-south2", "in-south2"],
  ["asia-southeast1", "sg-southeast1"],
  ["asia-southeast2", "id-southeast2"],
  ["asia-southeast3", "th-southeast3"],
  ["australia-southeast1", "au-southeast1"],
  ["australia-southeast2", "au-southeast2"],
  ["me-central1", "qa-central1"],
  ["me-central2", "sa-central2"],
  ["me-west1", "il-west1"],
  ["africa-south1", "za-south1"],
]);
