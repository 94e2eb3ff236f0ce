import { expect, test } from "bun:test";
import { checkOptions, settleAddresses } from "../../src/options/check.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { withOwnAddress, withoutOwnAddress } from "../../src/applets/own-address.ts";
import { fakeHost } from "../kit/optionhost.ts";
import { PATIENCE_MS } from "../kit/patience.ts";

const OWN = [{ address: "10.0.0.9" }];

/** Our address and the messages of a pppd that is started with these words. */
async function started(words: readonly string[], lookUp: () => Promise<typeof OWN>, slowMs = PATIENCE_MS) {
  const said: string[] = [];
  let asked = 0;
  const host = fakeHost({ hostname: "marvin", changes: { resolveHost: () => ((asked += 100), undefined) } });
  const config = parseOptions(["/dev/ttyS1", ...words], host);
  const look = (name: string) => ((asked += 1), expect(name).toBe("marvin"), lookUp());
  const checked = checkOptions(config, withoutOwnAddress(config, host));
  const knowing = await withOwnAddress(checked, host, (text) => void said.push(text), look, slowMs);
  const { ourAddress: our, ourAddressFrom: from } = settleAddresses(checked, knowing);
  return { our, from, said, asked };
}

test("our address is that of our host name, looked up once", async () => {
  expect(await started([], async () => OWN)).toEqual({ our: 0x0a000009, from: "hostname", said: [], asked: 1 });
  expect(await started([], () => Promise.reject(new Error("no such host")))).toMatchObject({
    our: undefined,
    asked: 1,
  });
});

test("nothing is looked up when the address is given or comes from the peer", async () => {
  for (const words of [["10.0.0.1:10.0.0.2"], ["noipdefault"]])
    expect((await started(words, async () => OWN)).asked).toBe(0);
});

test("a look-up that takes long is announced before it ends", async () => {
  const answered = Promise.withResolvers<typeof OWN>();
  const host = fakeHost({ hostname: "marvin" });
  const config = parseOptions(["/dev/ttyS1"], host);
  const announced = new Promise<string>((resolve) => {
    void withOwnAddress(config, host, resolve, () => answered.promise, 1);
  });
  expect(await announced).toBe(
    "Looking up our own host name marvin takes long: give ADDRESS: or noipdefault, or name it in /etc/hosts",
  );
  answered.resolve(OWN);
});

test("a process that detaches leaves the look-up to its child", () => {
  const host = fakeHost({ hostname: "arthur" });
  const config = parseOptions(["/dev/ttyS1"], host);
  expect(checkOptions(config, withoutOwnAddress(config, host)).ourAddress).toBeUndefined();
  // Other names are still looked up.
  expect(withoutOwnAddress(config, host).resolveHost("localhost")).toBe(0x7f000001);
});
