import { expect, test } from "bun:test";
import type { PapClaim, PapVerdict } from "../../../src/run/peers/pap-judge.ts";
import { PapAnswer } from "../../../src/run/session/pap-answer.ts";

const claim = (user: string): PapClaim => ({ user, password: "x", tty: "/dev/ttyS0", ifname: "ppp0" });
const verdict = (accepted: boolean, delayMs = 0): PapVerdict => ({ accepted, message: "", delayMs });

function answering(verdicts: Readonly<Record<string, PapVerdict | Promise<PapVerdict>>>): PapAnswer {
  const peers = { askSamba: () => undefined, judgePap: ({ user }: PapClaim) => verdicts[user]! };
  return new PapAnswer(peers, { now: () => 0 });
}

test("the delayed answer to one claim is not given to the next, which takes its time", async () => {
  const { promise, resolve } = Promise.withResolvers<PapVerdict>();
  const answer = answering({ anna: verdict(true, 5000), root: promise });
  answer.judge(claim("anna"), 0);
  expect(answer.dueAt).toBe(5000);
  answer.judge(claim("root"), 100);
  expect([answer.dueAt, answer.take(6000)]).toEqual([Infinity, undefined]);
  resolve(verdict(false));
  await promise;
  expect(answer.take(6000)).toEqual(verdict(false));
});

test("the late answer to a claim is dropped after the next one", async () => {
  const { promise, resolve } = Promise.withResolvers<PapVerdict>();
  const answer = answering({ anna: promise, root: verdict(false) });
  answer.judge(claim("anna"), 0);
  answer.judge(claim("root"), 100);
  expect(answer.take(100)).toEqual(verdict(false));
  resolve(verdict(true));
  await promise;
  expect(answer.take(1e9)).toBeUndefined();
});
