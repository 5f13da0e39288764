/** Something of a request that only its own dialect can say. Thrown and caught inside the reading of one request. */
export class Untranslatable extends Error {
  /** Where it stands: `messages[2].content[0]`. */
  readonly param: string;

  constructor(param: string, message: string) {
    super(message);
    this.param = param;
  }
}
