import { expect, test } from "bun:test";
import { FileExchange } from "../kit/file-exchange.ts";

test("a name that anybody can register is not the server's, so no foreign page reads the files", () => {
  const status = (host: string, facts: ConstructorParameters<typeof FileExchange>[0] = {}): string | undefined => {
    const one = new FileExchange(facts);
    one.folder.put("a", "x");
    return /^HTTP\/1\.1 (\d+)/.exec(one.octets(`GET /a HTTP/1.1\r\nHost: ${host}\r\n\r\n`))?.[1];
  };
  for (const host of ["evil.example", "evil.example:80", "EVIL.example.", "1.2.3.4.evil.example", "[::1].evil.example"])
    expect([host, status(host)]).toEqual([host, "421"]);
  const ours = [
    "10.0.0.1",
    "10.0.0.1:8080",
    "[fe80::1]:80",
    "localhost",
    "laptop",
    "laptop.lan:8080",
    "a.home.arpa",
    "",
  ];
  for (const host of ours) expect([host, status(host)]).toEqual([host, "200"]);
  expect(status("laptop.example.org", { hostName: "Laptop.example.org" })).toBe("200");
  // With passwords a foreign page has none.
  expect(status("evil.example", { knows: () => true })).toBe("401");
  const one = new FileExchange();
  expect(one.ask("GET /").headers.get("x-content-type-options")).toBe("nosniff");
});
