/**
 * `{ value: ${TULOY_KEY} }` is how a configuration wants to be written, but inside `{ }` a YAML text without quotes ends at
 * a brace. So before parsing, the marks of `${NAME}` become characters that mean nothing to YAML, of the same length, so
 * that every position stays right; and after parsing they are put back in each scalar. They are of Unicode's private use
 * area: no file has a reason to hold them.
 */
const open = "\uE0F1\uE0F2";
const close = "\uE0F3";
const dollar = "\uE0F4";

export function mask(text: string): string {
  return text.replaceAll(
    /(\$?)\$\{([^{}[\],"'\r\n]*)\}/g,
    (_, escape: string, inner: string) => `${escape === "" ? "" : dollar}${open}${inner}${close}`,
  );
}

export function unmask(text: string): string {
  return text.replaceAll(open, "${").replaceAll(close, "}").replaceAll(dollar, "$");
}
