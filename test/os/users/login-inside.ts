// Runs in its own mount namespace, which login-machine.ts makes. Performs the steps read from standard input as JSON,
// in one process, and prints the result of each as a line of JSON.

import { systemLogin, type LoginSession } from "../../../src/os/users/login.ts";
import { join } from "node:path";
import { loginInProcess } from "../../../src/os/users/login-process.ts";
import { hasExpired, systemUser } from "../../../src/os/users/passwd.ts";
import type { Step, Outcome } from "./login-machine.ts";

const sessions: LoginSession[] = [];
const nameServers: { close(): void }[] = [];
const today = Math.floor(Date.now() / 86_400_000);

async function run(step: Step): Promise<Outcome> {
  if ("shell" in step) {
    const { stdout, stderr } = Bun.spawnSync(["sh", "-c", step.shell]);
    return { text: stdout.toString("latin1") + stderr.toString("latin1") };
  }
  if ("nameServer" in step) {
    // It never answers, and its packets stay in the kernel.
    nameServers.push(await Bun.udpSocket({ hostname: step.nameServer, port: 53 }));
    return {};
  }
  if ("close" in step) {
    for (const session of sessions.splice(0)) session.close();
    return {};
  }
  if ("lookup" in step) {
    const user = systemUser(step.lookup);
    return user === undefined ? {} : { user, expired: hasExpired(user, today) };
  }
  const { login, ...rest } = step;
  const log: string[] = [];
  const startedAt = performance.now();
  const asked = {
    user: login,
    password: rest.password,
    tty: "/dev/ttyS1",
    ifname: "ppp0",
    log: (level: string, text: string) => void log.push(`${level} ${text}`),
  };
  const result =
    rest.apart === true
      ? await loginInProcess(asked, [process.execPath, join(import.meta.dir, "../../../src/main.ts")])
      : systemLogin({ ...asked, ...(rest.pam === undefined ? {} : { pam: rest.pam }) });
  const took = performance.now() - startedAt;
  if (result.ok) sessions.push(result.session);
  const delayMs = result.ok ? undefined : result.delayMs;
  return { ok: result.ok, message: result.message, log, took, ...(delayMs === undefined ? {} : { delayMs }) };
}

const steps = JSON.parse(await Bun.stdin.text()) as Step[];
for (const step of steps) console.log(JSON.stringify(await run(step)));
process.exit(0);
