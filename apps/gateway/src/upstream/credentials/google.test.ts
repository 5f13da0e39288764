import { createPublicKey, createVerify, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Authorization } from "../outlet.ts";
import { googleAuthorizer } from "./google.ts";

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

/** A token server on loopback: what it was asked, and what it answers. */
class TokenServer {
  readonly forms: URLSearchParams[] = [];
  answer: { readonly status: number; readonly body: string } = {
    status: 200,
    body: JSON.stringify({ access_token: "ya29.token", expires_in: 3600, token_type: "Bearer" }),
  };
  #server: Server | null = null;
  url = "";

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      void (async () => {
        this.forms.push(new URLSearchParams(await read(request)));
        response.writeHead(this.answer.status, { "content-type": "application/json" }).end(this.answer.body);
      })();
    }).listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no address");
    this.url = `http://127.0.0.1:${address.port}/token`;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

const server = new TokenServer();
let directory = "";

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "tuloy-google-"));
  server.forms.length = 0;
  await server.start();
});

afterEach(() => {
  server.stop();
  server.answer = { status: 200, body: JSON.stringify({ access_token: "ya29.token", expires_in: 3600 }) };
  rmSync(directory, { recursive: true });
  vi.unstubAllEnvs();
});

function keyFile(more: object = {}): string {
  return JSON.stringify({
    type: "service_account",
    project_id: "p",
    private_key_id: "key-1",
    private_key: privateKey,
    client_email: "tuloy@p.iam.gserviceaccount.com",
    token_uri: server.url,
    ...more,
  });
}

const wall = Date.UTC(2026, 0, 1);

function authorized(secret: string, visibility: "private" | "public" = "private"): Promise<Authorization> {
  return googleAuthorizer(
    { visibility, project: "my-project" },
    secret,
  )({
    method: "POST",
    url: new URL("https://x.example/"),
    headers: [],
    body: Buffer.alloc(0),
    wall,
  });
}

function decoded(part: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(part ?? "", "base64url").toString("utf8"));
}

describe("a service account", () => {
  it("proves itself with its key, and its token goes into the header", async () => {
    expect(await authorized(keyFile())).toMatchObject({ headers: ["authorization", "Bearer ya29.token"] });
    const [form] = server.forms;
    expect(form?.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    const [header, claims, signature = ""] = (form?.get("assertion") ?? "").split(".");
    expect(decoded(header)).toEqual({ alg: "RS256", typ: "JWT", kid: "key-1" });
    expect(decoded(claims)).toEqual({
      iss: "tuloy@p.iam.gserviceaccount.com",
      scope: "https://www.googleapis.com/auth/cloud-platform",
      aud: server.url,
      iat: wall / 1000,
      exp: wall / 1000 + 3600,
    });
    const signed = createVerify("RSA-SHA256").update(`${header}.${claims}`);
    expect(signed.verify(createPublicKey(privateKey), signature, "base64url")).toBe(true);
  });

  it("may be given as the path of its file, which is read when it is needed", async () => {
    const path = join(directory, "key.json");
    expect(await authorized(path)).toEqual({
      denied: "rejected",
      reason: `the service account's key file key.json in ${directory} cannot be read (ENOENT)`,
    });
    expect(await authorized(directory)).toMatchObject({ reason: expect.stringMatching(/ is a directory$/) });
    expect(await authorized("/dev/zero")).toMatchObject({
      reason: "the service account's key file zero in /dev is neither a file nor a pipe",
    });
    writeFileSync(path, keyFile());
    expect(await authorized(path)).toMatchObject({ headers: ["authorization", "Bearer ya29.token"] });
  });

  it("is not told where it may be a secret and no path", async () => {
    for (const secret of ["ya29-not-a-path-at-all", "c2VjcmV0/that+is+no/path=="]) {
      expect(await authorized(secret)).toEqual({
        denied: "rejected",
        reason:
          "the key is neither a service account's JSON nor the path of its file: as a path it cannot be read (ENOENT)",
      });
    }
  });

  it("that Google rejects is told from a Google that fails", async () => {
    server.answer = {
      status: 400,
      body: JSON.stringify({ error: "invalid_grant", error_description: "Invalid grant: account not found" }),
    };
    expect(await authorized(keyFile())).toEqual({
      denied: "rejected",
      reason: "Google refused a token with status 400 (invalid_grant, Invalid grant: account not found)",
    });
    server.answer = { status: 503, body: "<html>" };
    expect(await authorized(keyFile())).toEqual({
      denied: "forbidden",
      reason: "Google refused a token with status 503",
    });
    server.answer = { status: 200, body: "{" };
    expect(await authorized(keyFile())).toMatchObject({ denied: "forbidden" });
    server.answer = { status: 200, body: "x".repeat(300 * 1024) };
    await expect(authorized(keyFile())).rejects.toThrow("larger than 256 KB");
  });

  it("with a key that signs nothing is rejected without a word to anybody", async () => {
    expect(await authorized(keyFile({ private_key: "nonsense" }))).toEqual({
      denied: "rejected",
      reason: "the service account's private_key is no RSA key",
    });
    expect(await authorized(keyFile({ token_uri: "file:///etc/passwd" }))).toMatchObject({ denied: "rejected" });
    expect(server.forms).toEqual([]);
  });

  it("can't make a public provider's gateway ask inside the network", async () => {
    await expect(authorized(keyFile(), "public")).rejects.toThrow("is not a public address");
    expect(server.forms).toEqual([]);
  });
});

describe("ambient credentials", () => {
  it("are what Google's library finds on the machine", async () => {
    const subject = join(directory, "subject");
    writeFileSync(subject, "subject-token");
    const file = join(directory, "adc.json");
    writeFileSync(
      file,
      JSON.stringify({
        type: "external_account",
        audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
        token_url: server.url,
        credential_source: { file: subject },
      }),
    );
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", file);
    const answer = await authorized("ambient");
    expect(answer).toMatchObject({ headers: ["authorization", "Bearer ya29.token"] });
    expect(server.forms[0]?.get("subject_token")).toBe("subject-token");
  });

  it("say nothing of a file that can't be read", async () => {
    const file = join(directory, "adc.json");
    writeFileSync(file, 'canary-secret{"private_key":"another"}');
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", file);
    const answer = await authorized("ambient");
    expect(answer).toEqual({ denied: "rejected", reason: "no ambient credential: its file is not valid JSON" });
  });

  it("are rejected where there are none", async () => {
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", "");
    vi.stubEnv("HOME", directory);
    vi.stubEnv("METADATA_SERVER_DETECTION", "none");
    const answer = await authorized("ambient");
    expect(answer).toMatchObject({ denied: "rejected" });
    expect("reason" in answer && answer.reason).toContain("Could not load the default credentials");
  });
});
