import type { FailureMarker, ProviderPreset } from "./preset.ts";

/**
 * Errors of AWS by the name they have in `x-amzn-errortype`, or in the stream
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html). Several mean something else than
 * their status does.
 */
const markers: readonly FailureMarker[] = [
  {
    code: "ModelNotReadyException",
    class: "overloaded",
    because: "429 although no limit was reached: the model is being loaded",
  },
  { status: 424, class: "overloaded", because: "ModelErrorException: the model behind Bedrock failed" },
  {
    code: "ModelStreamErrorException",
    class: "overloaded",
    because: "the same in the middle of a stream: AWS asks to send the request again",
  },
  { code: "ModelErrorException", class: "overloaded", because: "424" },
  { code: "ServiceUnavailableException", class: "overloaded", because: "503, also inside streams" },
  { code: "ThrottlingException", class: "rate_limited", because: "429, also inside streams" },
  {
    code: "ServiceQuotaExceededException",
    class: "rate_limited",
    because: "400: the account's quota for this model, which others have room in",
  },
  { code: "ModelTimeoutException", class: "server_error", because: "408, also inside streams" },
  { code: "InternalServerException", class: "server_error", because: "500, also inside streams" },
  {
    code: "ResourceNotFoundException",
    class: "model_missing",
    because: "404: no such model or profile in this region",
  },
  {
    message: "provided model identifier is invalid",
    class: "model_missing",
    because: "ValidationException, 400, for an id that this region does not have",
  },
  {
    message: "with on-demand throughput isn",
    class: "model_missing",
    because:
      "ValidationException, 400: the model is served through an inference profile only; its id has to be corrected",
  },
  {
    message: "too many tokens, please wait",
    class: "rate_limited",
    because: "ThrottlingException: the tokens of a minute, not the length of the prompt",
  },
  {
    message: "too many input tokens",
    class: "context_length",
    because: "ValidationException of Nova and Llama: max input tokens",
  },
  {
    code: "UnrecognizedClientException",
    class: "auth",
    auth: "rejected",
    because: "403: the access key or its session token is unknown",
  },
  { code: "InvalidClientTokenId", class: "auth", auth: "rejected", because: "403: the access key is unknown" },
  { code: "ExpiredTokenException", class: "auth", auth: "rejected", because: "403: the session token is over" },
  {
    code: "MissingAuthenticationTokenException",
    class: "auth",
    auth: "rejected",
    because: "403: no credential arrived",
  },
  {
    message: "signature expired",
    class: "auth",
    auth: "forbidden",
    because: "403: the gateway's clock is off; the key is good",
  },
  {
    message: "signature not yet current",
    class: "auth",
    auth: "forbidden",
    because: "403: the gateway's clock is off; the key is good",
  },
  {
    code: "InvalidSignatureException",
    class: "auth",
    auth: "rejected",
    because: "403: what was signed with is not the secret of this access key",
  },
  { message: "api key", status: 403, class: "auth", auth: "rejected", because: "a Bedrock API key that is not valid" },
  { message: "bearer token", status: 403, class: "auth", auth: "rejected", because: "a Bedrock API key that is over" },
  {
    code: "AccessDeniedException",
    class: "auth",
    auth: "forbidden",
    because: "403: this key may not use this model, and may use others",
  },
];

/** AWS's own names (https://docs.aws.amazon.com/bedrock/latest/userguide/models-regions.html). */
const locations = [
  "us-east-1 us-east-2 us-west-1 us-west-2 us-gov-east-1 us-gov-west-1 ca-central-1 ca-west-1 mx-central-1 sa-east-1",
  "eu-central-1 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-3",
  "ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2",
  "ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-7",
  "af-south-1 il-central-1 me-central-1 me-south-1",
].flatMap((names) => names.split(" "));

/** Two of them are called European and are not in the Union, which a pin to `eu` means. */
const locationRegions: ReadonlyMap<string, string> = new Map([
  ...locations.map((name): [string, string] => [name, name]),
  ["eu-west-2", "gb-west-2"],
  ["eu-central-2", "ch-central-2"],
]);

/** Amazon Bedrock: Claude, Nova, Llama, Mistral and others by one API. */
export const bedrock: ProviderPreset = {
  kind: "bedrock",
  baseUrl: "https://bedrock-runtime.{location}.amazonaws.com",
  locationRegions,
  idRegions: new Map([
    // https://docs.aws.amazon.com/bedrock/latest/userguide/cross-region-inference.html
    ["global.", "global"],
    ["us.", "us"],
    ["us-gov.", "us-gov"],
    ["eu.", "eu"],
    ["apac.", "apac"],
    ["jp.", "jp"],
    ["au.", "au"],
    ["ca.", "ca"],
    // A profile of the account's own, over one region or over several.
    ["application-inference-profile", null],
  ]),
  endpoints: {
    chat: [
      {
        dialect: "bedrock-converse",
        path: "/model/{model}/converse",
        streamPath: "/model/{model}/converse-stream",
        // A stream is no server-sent events here.
        headers: { accept: "*/*" },
        // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html
        longestToolName: 64,
      },
    ],
  },
  auth: { scheme: "aws-sigv4", service: "bedrock" },
  keyRequired: true,
  streamUsage: true,
  // Converse has no words for them.
  refuses: ["seed", "presence_penalty", "frequency_penalty", "logit_bias", "user", "parallel_tool_calls", "min_p"],
  maxStops: null,
  // By model: see the dialect.
  continuation: null,
  markers,
  // It tells nothing of what is left.
  rateLimitHeaders: [],
  // By marks for Claude, and by itself for some.
  promptCaching: "marks",
  // By the model, and by the account's data retention mode: some models keep up to 30 days against abuse.
  retains: null,
  trains: false,
  dataPolicy: "https://docs.aws.amazon.com/bedrock/latest/userguide/data-retention.html",
  quirks: [
    "Ids that begin with a part of the world (us., eu., apac., global.) are computed anywhere in it, whatever the location.",
    "Many models are served through such an inference profile only.",
    "Whether it keeps requests depends on the model and on the account's data retention mode: where that is none, write retains: false.",
  ],
  verified: true,
  docs: "https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html",
};
