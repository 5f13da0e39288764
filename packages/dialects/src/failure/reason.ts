/** Longest reason that is kept, in characters. */
const maxLength = 300;
/** Text beyond this is not looked at. It must stay well above `maxLength`, so that no secret is cut before it is recognised. */
const maxRead = 2000;

const mask = "[hidden]";

/** What may be a secret, and how to hide it. Providers echo keys, or parts of them with the middle starred out. */
const secrets: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // `Authorization: Bearer …` as echoed by proxies.
  [/\b(bearer|basic)\s+[^\s"',;]+/gi, `$1 ${mask}`],
  // OpenAI, Anthropic, OpenRouter, DeepSeek: sk-…; others: gsk_, xai-, hf_, pplx-, nvapi-, AIza, AKIA, and JSON web tokens.
  [/\b(?:sk|rk|pk)-[^\s"',;]+/gi, mask],
  [/\b(?:gsk_|xai-|hf_|pplx-|nvapi-|r8_|fw_|AIza|AKIA|ASIA|eyJ)[^\s"',;]{4,}/g, mask],
  // "Incorrect API key provided: abc", "api_key=abc", "token: abc". Needs the separator: "API key is invalid" is no secret.
  [/\b((?:api[ _-]?key|key|token|secret|password)(?: provided)?["']?\s*[:=]\s*)[^\s,;]+/gi, `$1${mask}`],
  // User information in an address.
  [/:\/\/[^\s/@]+@/g, `://${mask}@`],
  // Anything starred out in the middle was a secret once.
  [/[^\s"',;:]*\*{3,}[^\s"',;:]*/g, mask],
  // Long runs of mixed letters and digits: keys without a known prefix. Model ids have separators within twenty characters.
  [/(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{20,}/g, mask],
];

/** A provider's text for traces and error messages: one line, cut to a few hundred characters, without anything that looks like a secret. */
export function cleanReason(text: string): string {
  let cleaned = text;
  // A word cut in two might no longer look like the secret it is part of.
  if (cleaned.length > maxRead) cleaned = cleaned.slice(0, maxRead).replace(/\S*$/, "");
  cleaned = cleaned
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .toWellFormed();
  for (const [pattern, replacement] of secrets) cleaned = cleaned.replace(pattern, replacement);
  return cleaned.length <= maxLength ? cleaned : `${cleaned.slice(0, maxLength - 1).toWellFormed()}…`;
}
