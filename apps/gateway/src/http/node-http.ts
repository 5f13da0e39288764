/**
 * Node's own `node:http`, without its ES module facade: importing that evaluates every lazy getter of the module, among
 * them `http.WebSocket`, which loads a second HTTP client that nobody here uses and takes a tenth of the start.
 */
export const { createServer, ServerResponse, STATUS_CODES } = process.getBuiltinModule("node:http");
