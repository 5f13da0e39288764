import type { ControlErrorCode } from "@tuloy/contract";

/** A request that is not carried out: thrown by a handler, told by the one error handler. */
export class ControlRefusal extends Error {
  readonly code: ControlErrorCode;

  constructor(code: ControlErrorCode, message: string) {
    super(message);
    this.name = "ControlRefusal";
    this.code = code;
  }
}
