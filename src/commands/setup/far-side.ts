// What to type, or to set, on the machine at the other end of the cable.

import { presetNamed } from "../../options/presets.ts";
import type { Answers } from "./setup-answers.ts";

/** The HOWTO's addresses of the machine that waits and of its caller. */
export const HOWTO_ADDRESSES = "192.168.0.1:192.168.1.1";

/** Lines for the terminal. A password is never among them. */
export function farSideText(answers: Answers): string {
  const preset = answers.preset === undefined ? undefined : presetNamed(answers.preset);
  const lines =
    preset === undefined
      ? linuxLines(answers)
      : [preset.there.replace("SPEED", String(answers.speed)), ...userLines(answers)];
  return [`On the other machine (${preset?.about ?? "Linux"}):`, ...lines.map((line) => `  ${line}`), ""].join("\n");
}

function userLines({ role, authentication }: Answers): string[] {
  if (role === "join" || authentication.kind === "none") return [];
  return authentication.kind === "login"
    ? ["the user and password of a user of this machine"]
    : [`the user ${authentication.user} and the password that you gave`];
}

/** The commands for nullmodem and for any pppd. The name of the port there is a guess. */
function linuxLines(answers: Answers): string[] {
  const { role, speed, flow, authentication } = answers;
  const isServer = role === "serve";
  const needsUser = authentication.kind !== "none";
  const user = authentication.kind === "password" ? authentication.user : "NAME";
  const words = [
    `nullmodem setup --role ${isServer ? "join" : "serve"} --port /dev/ttyS0 --speed ${speed}`,
    ...(flow === undefined ? [] : [`--flow ${flow}`]),
    ...(isServer ? [] : [`--auth ${needsUser ? "password" : "none"}`]),
    ...(needsUser ? [`--user ${user}`] : []),
  ];
  const wires = flow === undefined ? "" : flow === "rtscts" ? " crtscts" : " nocrtscts";
  const own = isServer
    ? `noauth${needsUser ? ` user ${user}` : ""}`
    : `${needsUser ? "auth" : "noauth"} ${swapped(answers.addresses) ?? HOWTO_ADDRESSES}`;
  const secret = `and in its /etc/ppp/pap-secrets the line: ${user} * PASSWORD${isServer ? "" : " *"}`;
  return [
    words.join(" "),
    ...(isServer ? [`or, once: nullmodem join /dev/ttyS0${needsUser ? ` --user ${user}` : ""}`] : []),
    "or, with the pppd that it has:",
    `pppd /dev/ttyS0 ${speed} local${wires} nodetach ${own}`,
    ...(needsUser ? [secret] : []),
  ];
}

/** The pair as the other machine writes it. */
function swapped(addresses: string | undefined): string | undefined {
  return addresses?.split(":").toReversed().join(":");
}
