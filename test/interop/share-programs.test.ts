// The kernel's forwarding (share) as root, between programs of Debian on both sides.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { PATIENCE_MS } from "../kit/patience.ts";
import { judged } from "./judges.ts";
import { CHECKS, CHECKS6, GUEST_CHECKS } from "./outside-checks.ts";
import { type Links, linksMissing, openLinks } from "./outside-link.ts";

setDefaultTimeout(5 * PATIENCE_MS);

describe.skipIf(linksMissing !== undefined)(
  `share${linksMissing === undefined ? "" : ` [skipped: ${linksMissing}]`}`,
  () => {
    let links: Links;
    beforeAll(async () => {
      links = await openLinks([], ["share"]);
    });
    afterAll(async () => {
      await links?.close();
    });

    for (const [name, check] of Object.entries({ ...CHECKS, ...CHECKS6 })) {
      test(name, async () => {
        expect(await check(links)).toBe("");
      });
    }
    for (const [name, check] of Object.entries(GUEST_CHECKS)) {
      test(`Debian's pppd: ${name}`, async () => {
        expect(await check(links.guest, links.file)).toBe("");
      });
    }
    test("tshark finds no fault in what went over the laptop's line", async () => {
      expect(await judged(links.record)).toBe("");
    });
  },
);
