import { expect, test } from "bun:test";
import { endpointText } from "../../../src/control/options/lcp/endpoint-discriminator.ts";

test("an endpoint from the wire is printed whatever is in it, of its value twenty octets", () => {
  const value = new Uint8Array(252).fill(0xa5);
  expect(endpointText({ class: 1, value })).toBe(`local:${Array(20).fill("a5").join(".")}`);
  expect(endpointText({ class: 0, value: new Uint8Array(0) })).toBe("null");
});
