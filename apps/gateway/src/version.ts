/** The version of this gateway, as `--version` and the upstream `user-agent` say it. */
export const version = "0.1.0";
