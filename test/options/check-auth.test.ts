// What must be in the secrets files before a peer can be asked to authenticate itself, and the text when it is not.

import { expect, test } from "bun:test";
import { checkOptions } from "../../src/options/check.ts";
import { OptionError } from "../../src/options/error.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { fakeHost } from "../kit/optionhost.ts";

/** The reasons why no secret is usable; undefined: one is. */
function reasons(line: string, secrets: Readonly<Record<string, string>> = {}): readonly string[] | undefined {
  const files = Object.fromEntries(Object.entries(secrets).map(([name, text]) => [`/etc/ppp/${name}`, text]));
  const host = fakeHost({ files });
  try {
    checkOptions(parseOptions(["ttyS0", ...line.split(" ")], host), host);
    return undefined;
  } catch (error) {
    if (error instanceof OptionError) return error.hints;
    throw error;
  }
}

test("each method is looked up in its own file", () => {
  const [pap, chap] = [{ "pap-secrets": "a * x *" }, { "chap-secrets": "a * x *" }];
  for (const method of ["require-chap", "require-mschap", "require-mschap-v2", "require-eap"])
    expect([method, reasons(method, chap), reasons(method, pap)?.[0]]).toEqual([
      method,
      undefined,
      "There is no /etc/ppp/chap-secrets to be read",
    ]);
  expect([reasons("require-pap", pap), reasons("require-pap", chap)?.[0]]).toEqual([
    undefined,
    "There is no /etc/ppp/pap-secrets to be read",
  ]);
});

test("a secret of another server is none of ours", () => {
  expect(reasons("require-chap name srv", { "chap-secrets": "a srv x *" })).toBeUndefined();
  expect(reasons("require-chap name srv", { "chap-secrets": "a other x *" })?.[0]).toBe(
    'No line of /etc/ppp/chap-secrets is for any client and server "srv"',
  );
  expect(reasons("require-chap name srv", { "chap-secrets": "a srv x" })?.[0]).toBe(
    'Line 1 of /etc/ppp/chap-secrets (client "a", server "srv") allows the peer no address',
  );
});

test("a certificate of another server is none of ours", () => {
  const [ours, other] = ["srv", "other"].map((server) => ({
    "eaptls-server": `a ${server} /a.crt /srv.crt /ca.crt /srv.key *`,
  }));
  expect(reasons("require-eap name srv", ours)).toBeUndefined();
  expect(reasons("require-eap name srv", other)).toBeDefined();
});

test("Samba knows the secrets of MS-CHAP, and not those of EAP", () => {
  const samba = "plugin winbind.so ntlm_auth-helper /usr/bin/ntlm_auth";
  expect(reasons(`${samba} require-mschap-v2`)).toBeUndefined();
  expect(reasons(`${samba} require-eap`)).toBeDefined();
  expect(reasons("plugin winbind.so require-mschap-v2")).toBeDefined();
});
