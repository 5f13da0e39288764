export interface Interpolated {
  readonly text: string;
  /** The names that were filled in, or should have been. */
  readonly variables: readonly string[];
  /** What is wrong, as the rest of a sentence. */
  readonly faults: readonly string[];
}

export function hasVariables(text: string): boolean {
  return text.includes("${");
}

/**
 * Fills in `${NAME}` from the environment. `$${` stands for a plain `${`. What a variable holds is not looked at again.
 * A variable that is missing leaves a stand-in, so that the rest of the file can still be checked.
 */
export function interpolate(text: string, environment: Readonly<Record<string, string | undefined>>): Interpolated {
  const variables: string[] = [];
  const faults: string[] = [];
  const filled = text.replaceAll(/\$\$\{|\$\{([^}]*)(\}?)/g, (whole, name: string | undefined, end: string) => {
    if (name === undefined) return "${";
    if (end === "" || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      faults.push("holds a ${ that begins no variable; write ${NAME}, or $${ for a plain ${");
      return whole;
    }
    variables.push(name);
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value !== undefined) return value;
    faults.push(`needs the environment variable ${name}, which is not set`);
    return `missing-variable-${name}`;
  });
  return { text: filled, variables, faults };
}
