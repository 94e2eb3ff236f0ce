import { expect, test } from "bun:test";
import { servedPlaces, waitingText } from "../../src/commands/served-places.ts";

const ipv4 = { our: "10.0.0.1", peer: "10.0.0.2" };
const kernel = { interface: "ppp0", ipv4 };
const usernet = { interface: "usernet0", ipv4, sharing: { way: "sockets" } as never };
const socks = { interface: "socks0", ipv4, proxy: "127.0.0.1:1080" };

test("links without an interface are left out, and named when there is no other", () => {
  expect(servedPlaces([usernet, kernel, socks])).toEqual([{ address: "10.0.0.1", device: "ppp0" }]);
  expect(servedPlaces([usernet, socks, { ...kernel, ipv4: undefined }])).toEqual([]);
  expect(waitingText([])).toBe("Waiting for a link");
  expect(waitingText([{ ...kernel, ipv4: undefined }])).toBe("Waiting for a link with IPv4: ppp0 has IPv6 only");
  expect(waitingText([socks])).toBe(
    "Waiting for a link with an interface: socks0 has none, and its pppd or serve wants the option files DIR",
  );
});
