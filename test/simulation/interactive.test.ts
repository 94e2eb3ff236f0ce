// `interactive` on lines whose speed is found before the link begins.

import { expect, test } from "bun:test";
import { Laplink } from "./laplink.ts";

const OPTIONS = ["/dev/ttyUSB0", "noauth", "nodetach", "local", "noccp", "debug"];
const SERVER = ["10.0.0.1:10.0.0.2", "autodetect", "find-speed", "115200"];

function lines(caller: readonly string[], ...words: readonly string[]) {
  const link = new Laplink({ seed: 1 });
  const waiting = link.computers[0].start([...OPTIONS, ...SERVER, ...words]);
  link.time.run(1000);
  const calling = link.computers[1].start([...OPTIONS, ...caller, ...words]);
  expect(link.time.runUntil(() => link.isUp, 60_000)).toBe(true);
  link.time.run(2000);
  return [waiting, calling].map((one) => one.lines.join("\n"));
}

test("a caller that is found at another speed than that of the start gets the sizes that suit its speed", () => {
  const [waiting] = lines(["9600", "10.0.0.2:"], "interactive");
  expect(waiting).toMatch(/sent \[LCP ConfReq id=0x\d+ <mru 296>/);
  expect(waiting).not.toContain("sent [IPV6CP ConfReq");
  const [fast] = lines(["921600", "10.0.0.2:"], "interactive");
  expect(fast).not.toContain("<mru");
  expect(fast).toContain("sent [IPV6CP ConfReq");
});

test("join has the sizes that suit the speed that it has found", () => {
  const [waiting, joining] = lines(["join", "address-pair", "0", "ipcp-accept-local"], "interactive");
  for (const one of [waiting, joining]) {
    expect(one).toMatch(/sent \[LCP ConfReq id=0x\d+ <mru 345>/);
    expect(one).not.toContain("sent [IPV6CP ConfReq");
  }
});
