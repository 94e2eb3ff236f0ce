import { expect, test } from "bun:test";
import { checkOptions } from "../../src/options/check.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { findTlsEntry } from "../../src/options/tls-secrets.ts";
import { fakeHost } from "../kit/optionhost.ts";

const FILE = `# client server client-cert server-cert ca key addresses
*      srv  -      srv.pem ca.pem srv.key 10.0.0.9
zaphod *    z.pem  "s p.pem" ca.pem any.key
zaphod srv  -      -       ca.pem first.key 10.0.0.2 10.0.0.3 -- noproxyarp
zaphod srv  -      -       ca.pem second.key
marvin srv  m.pem  short.pem ca.pem
`;
const found = (client: string | undefined, server: string | undefined) => findTlsEntry(FILE, client, server, "eaptls");

test("the best line answers, the first of equals, and one too short never", () => {
  expect(found("zaphod", "srv")).toEqual({
    clientCert: undefined,
    serverCert: undefined,
    ca: "ca.pem",
    key: "first.key",
    addresses: ["10.0.0.2", "10.0.0.3"],
    options: ["noproxyarp"],
  });
  expect(found("zaphod", "other")).toMatchObject({ clientCert: "z.pem", serverCert: "s p.pem", key: "any.key" });
  expect(found("marvin", "srv")?.key).toBe("srv.key");
  expect(found(undefined, undefined)?.key).toBe("first.key");
  expect(found("ford", "other")).toBeUndefined();
});

test("with require-eap such a line is a way for the peer to prove itself, if it leaves it an address", () => {
  const check = (line: string, ...words: string[]): void => {
    const host = fakeHost({ files: { "/etc/ppp/eaptls-server": line } });
    checkOptions(parseOptions(["/dev/ttyS1", "auth", "name", "srv", ...words], host), host);
  };
  const files = "zaphod srv - srv.pem ca.pem srv.key";
  expect(() => check(`${files} *`, "require-eap")).not.toThrow();
  expect(() => check(files, "require-eap")).toThrow("None of the available passwords would let it use an IP address");
  expect(() => check(`${files} *`, "require-eap", "remotename", "ford")).toThrow("couldn't find any suitable secret");
  expect(() => check(`${files} *`, "require-chap")).toThrow("couldn't find any suitable secret");
});
