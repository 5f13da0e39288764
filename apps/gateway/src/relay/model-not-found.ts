import { clientError, type ClientError } from "@tuloy/contract";

/** @param param the field that named it */
export function modelNotFound(requested: string, nearest: readonly string[], param: "model" | "models"): ClientError {
  const shown = requested.length > 100 ? `${requested.slice(0, 100)}…` : requested;
  const hint = nearest.length > 0 ? ` Nearest: ${nearest.join(", ")}.` : "";
  return clientError(
    "model_not_found",
    `No provider here serves the model "${shown}".${hint} GET /v1/models lists all.`,
    { param },
  );
}
