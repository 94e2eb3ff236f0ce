import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { pageAssets } from "../../src/files/page-assets.ts";
import { PAGE_SCRIPT } from "../../src/files/page-script.ts";
import { FileExchange } from "../kit/file-exchange.ts";
import { Rng } from "../kit/rng.ts";

test("the script's SHA-256 is SHA-256, whatever the pieces", () => {
  const hashes = PAGE_SCRIPT.slice(PAGE_SCRIPT.indexOf("const K ="), PAGE_SCRIPT.indexOf("const textHash"));
  const sha = new Function(`${hashes}; return sha`)() as () => { add(octets: Uint8Array): void; end(): string };
  const rng = new Rng(1);
  for (let length = 0; length < 300; length++) {
    const octets = rng.bytes(length);
    const hash = sha();
    for (let at = 0; at < length;) {
      const next = at + 1 + rng.below(130);
      hash.add(octets.subarray(at, next));
      at = next;
    }
    expect(hash.end()).toBe(createHash("sha256").update(octets).digest("hex"));
  }
});

test("the page of an empty folder and its script are less than 8 kB on the line", () => {
  const one = new FileExchange({ assets: pageAssets((octets) => Bun.gzipSync(Uint8Array.from(octets))) });
  const page = one.ask("GET /\nAccept-Encoding: gzip, deflate");
  const [, address] = /SRC="([^"]+)"/.exec(page.body) ?? [];
  const script = one.ask(`GET ${address}\nAccept-Encoding: gzip, deflate`);
  expect(script.headers.get("content-encoding")).toBe("gzip");
  expect(Buffer.from(Bun.gunzipSync(Buffer.from(script.body, "latin1"))).toString()).toBe(PAGE_SCRIPT);
  // With the heads of both answers.
  expect(page.body.length + script.body.length + 800).toBeLessThan(8000);
  const plain = one.ask(`GET ${address}`);
  expect(plain.headers.has("content-encoding")).toBe(false);
  expect(plain.body).toBe(PAGE_SCRIPT);
});
