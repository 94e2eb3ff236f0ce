import { expect, test } from "bun:test";
import { PAGE_SCRIPT } from "../../src/files/page-script.ts";

interface Page {
  has(url: string, hash: string): Promise<boolean>;
  send(job: { file: unknown; url: string }): Promise<void>;
}

/** What the script asks of the browser. */
interface Browser {
  fetch(url: string, options: { method?: string; signal: AbortSignal }): Promise<unknown>;
  setTimeout(act: () => void, ms: number): number;
  setInterval(act: () => void, ms: number): number;
}

/** The part of the script that carries files, with a file under way. */
function page({ fetch, setTimeout, setInterval }: Browser): Page {
  const part = PAGE_SCRIPT.slice(PAGE_SCRIPT.indexOf("let running"), PAGE_SCRIPT.indexOf("const box ="));
  class Broken {
    readyState = 4;
    status = 0;
    onloadend = (): void => undefined;
    open(): void {}
    setRequestHeader(): void {}
    getResponseHeader(): null {
      return null;
    }
    send(): void {
      this.onloadend();
    }
  }
  const names = ["fetch", "setTimeout", "clearTimeout", "setInterval", "clearInterval", "XMLHttpRequest", "show"];
  const none = (): void => undefined;
  const made = new Function(...names, `${part}; running = {}; return { has, send };`) as (...given: unknown[]) => Page;
  return made(fetch, setTimeout, none, setInterval, none, Broken, none);
}

test("the page waits for the server's hash of a file as long as the server answers", async () => {
  for (const isUp of [true, false]) {
    const timeouts: (() => void)[] = [];
    const ticks: (() => void)[] = [];
    let asked = 0;
    let hash: ((answer: unknown) => void) | undefined;
    const { has } = page({
      fetch: (_, { method, signal }) => {
        if (method === "HEAD") return isUp ? Promise.resolve(void asked++) : Promise.reject(new Error("no line"));
        return new Promise((good, bad) => {
          hash = good;
          signal.onabort = (): void => bad(new Error("aborted"));
        });
      },
      setTimeout: (act) => timeouts.push(act),
      setInterval: (act) => ticks.push(act),
    });
    const answer = has("/big", "abc").catch((error: Error) => error.message);
    // More time than any limit passes, and the server is asked meanwhile.
    for (const act of timeouts.splice(0)) act();
    for (let tick = 0; tick < 5; tick++) {
      for (const act of ticks) act();
      await Promise.resolve();
    }
    hash?.({ text: () => Promise.resolve('{"sha256":"abc"}') });
    expect(await answer).toBe(isUp ? true : "aborted");
    expect(asked > 0).toBe(isUp);
  }
});

test("a dropped file that can be read no more ends with its reason", async () => {
  const gone = (): Promise<never> => Promise.reject(new DOMException("it has changed", "NotReadableError"));
  const file = { size: 100_000, lastModified: 0, slice: () => ({ size: 1, arrayBuffer: gone }) };
  const retried = Promise.withResolvers<string>();
  let pauses = 0;
  const { send } = page({
    fetch: () => Promise.resolve({ ok: true, headers: new Headers({ "Upload-Offset": "0" }) }),
    setTimeout: (act, ms) => {
      if (ms === 1500 && ++pauses > 3) retried.resolve("tried again and again");
      else if (ms === 1500) queueMicrotask(act);
      return 0;
    },
    setInterval: () => 0,
  });
  const ended = send({ file, url: "/big" }).catch((error: { text: string }) => error.text);
  expect(await Promise.race([ended, retried.promise])).toBe("cannot be read: it has changed");
});
