/**
 * What `tuloy start` uses where there is no configuration file: two simulated providers that serve the same models, so that
 * a failover can be seen with no account anywhere.
 */
export const defaultConfigText = `providers:
  sandbox-a: { kind: sandbox }
  sandbox-b: { kind: sandbox }
`;

/** What problems and logs call it. */
export const defaultConfigName = "the built-in configuration";
